package nextcloudtest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// SampleNote is a note to put into an account before or while a test or demo runs.
type SampleNote struct {
	Title    string
	Category string
	Content  string
	Favorite bool
	ReadOnly bool      // as if somebody had shared it without the right to change it
	Modified time.Time // now when zero
}

// AddNote stores a note of a user and returns its id, 0 when there is no such user.
func (s *Server) AddNote(userID string, in SampleNote) int {
	a := s.account(userID)
	if a == nil {
		return 0
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	d := draft{title: &in.Title, content: &in.Content, category: &in.Category, favorite: &in.Favorite}
	if !in.Modified.IsZero() {
		d.modified = new(in.Modified.Unix())
	}
	n, err := a.notes.create(d)
	if err != nil {
		return 0
	}
	n.spot.node.readOnly = in.ReadOnly
	return n.id
}

// AddSubscription gives a user a webcal subscription whose feed held the given iCalendar objects. Nextcloud lists it as a
// calendar only to clients that send X-NC-CalDAV-Webcal-Caching: On.
func (s *Server) AddSubscription(userID, name, source string, objects ...string) {
	a := s.account(userID)
	if a == nil {
		return
	}
	a.calendars.lock.Lock()
	defer a.calendars.lock.Unlock()
	feed := a.calendars.subscribe(name, source, leaf(nsDAV, "displayname", name))
	for i, data := range objects {
		object, fault := validateICal(data, feed.components, s.now())
		if fault == nil {
			a.calendars.store(feed, fmt.Sprintf("feed-%d.ics", i+1), object.data, object.component, object.uid)
		}
	}
}

// loadSample fills every account with what a demo needs to look like somebody's Nextcloud. New calls it when
// Options.SampleData is set, after the accounts are made and before any request.
func (s *Server) loadSample() {
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		for _, n := range sampleNotes {
			n.Modified = s.now().Add(-n.age)
			s.AddNote(id, n.SampleNote)
		}
		s.loadSampleCalendars(id)
		s.loadSampleMail(id)
		s.loadSampleFiles(id)
		s.loadSampleContacts(id)
		s.loadSampleDeck(id)
		s.loadSampleTables(id)
	}
	s.loadSampleShares()
	if !s.opts.DisableTalk {
		s.loadSampleTalk()
	}
}

// agedNote is a sample note that was last changed some time ago.
type agedNote struct {
	SampleNote
	age time.Duration
}

const day = 24 * time.Hour

var sampleNotes = []agedNote{
	{SampleNote{Title: "Reading list", Content: "# Reading list\n\n- [x] The Left Hand of Darkness\n- [ ] Kindred\n- [ ] Solaris\n"}, 40 * day},
	{SampleNote{Title: "Shopping", Content: "- oat milk\n- tomatoes\n- coffee beans\n- washing powder\n", Favorite: true}, 3 * time.Hour},
	{SampleNote{Title: "Wi-Fi for guests", Content: "Network: Garden\nThe password is on the card at the fridge.\n"}, 200 * day},
	{SampleNote{Title: "Quarterly report", Category: "Work", Content: "# Quarterly report\n\nRevenue is up 4 %, support tickets are down by a fifth.\n\n## Open questions\n\n1. Who presents the numbers?\n2. Do we publish the roadmap?\n", Favorite: true}, 2 * day},
	{SampleNote{Title: "Team meeting", Category: "Work/Meetings", Content: "# Team meeting\n\nPresent: Alice, Bob\n\n- The release moves to Thursday.\n- Bob writes the announcement.\n- Next meeting as usual.\n"}, 6 * day},
	{SampleNote{Title: "Interview questions", Category: "Work/Meetings", Content: "1. Which change are you proud of?\n2. How do you find out why something is slow?\n3. What would you like to learn here?\n"}, 20 * day},
	{SampleNote{Title: "Release checklist", Category: "Work/Projects", Content: "- [x] Changelog\n- [x] Version number\n- [ ] Tag\n- [ ] Announcement\n- [ ] Update the demo\n"}, 1 * day},
	{SampleNote{Title: "Website ideas", Category: "Work/Projects", Content: "Less text on the start page, one clear picture, a page about prices.\nAsk Müller & Söhne for the photographs.\n"}, 15 * day},
	{SampleNote{Title: "Lentil soup", Category: "Recipes", Content: "# Lentil soup\n\n250 g red lentils, 1 onion, 2 carrots, cumin, 1 l stock, lemon.\n\nFry the onion with cumin, add the rest, simmer for 20 minutes, finish with lemon.\n"}, 90 * day},
	{SampleNote{Title: "Sourdough", Category: "Recipes", Content: "Feed the starter in the evening. 500 g flour, 350 g water, 100 g starter, 10 g salt.\n\n| step | time |\n|---|---|\n| mix | 8:00 |\n| fold | 9:00 |\n| bake | 18:00 |\n"}, 60 * day},
	{SampleNote{Title: "Lisbon", Category: "Travel", Content: "# Lisbon\n\nTrain to Sintra early, miradouros in the evening, tram 28 only once.\n\nHotel: see the booking mail.\n"}, 30 * day},
	{SampleNote{Title: "Packing list", Category: "Travel", Content: "- passport\n- charger\n- rain jacket\n- book\n"}, 29 * day},
}
