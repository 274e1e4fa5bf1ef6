package pages

// texts are all words of the pages in one language. A part in braces, such as
// {client}, is put in by say; a test compares the braces of all languages and
// finds every sentence that one of them lacks.
type texts struct {
	tag      string // BCP 47
	months   [12]string
	moment   string
	never    string // a client that was not used yet
	local    string // in place of a host
	nameless string // in place of an empty name
	newTab   string // for screen readers, after a link that opens a tab

	client     clientTexts
	landing    landingTexts
	waiting    waitingTexts
	phone      phoneTexts
	link       linkTexts
	consent    consentTexts
	leaving    leavingTexts
	account    accountTexts
	signedOut  signedOutTexts
	failure    failureTexts
	areas      map[string]areaTexts // by area of package scope
	otherArea  areaTexts            // an area without words of its own
	rights     map[string]string    // short words for what is granted, by Switch.Right
	lifetimes  map[string]string    // by value of Consent.Lifetimes
	reasons    map[string]string    // by signin.Reason
	problems   map[string]problemTexts
	otherwise  problemTexts      // a code without words of its own
	outcomes   map[string]string // by AuditLine.Outcome
	notices    map[string]string // by Account.Notice
	folderBads map[string]string // by Consent.FoldersBad
}

// areaTexts say what may be done with one area, as the end of "It may ...". An
// empty send is said in the words of otherArea: mail alone has that right.
type areaTexts struct{ name, read, write, send string }

// problemTexts say what happened and what to do.
type problemTexts struct{ title, happened, next string }

type clientTexts struct {
	registered, document, configured string // how sure its name is
	localName                        string // any program of this computer can take this name
	homePage                         string
}

type landingTexts struct {
	title, lead                 string
	address, paste, copy, ready string
	how, hosted, link, run      string
	file                        string
	privacy                     string
	stores, service, signIn     string
	account                     string
}

type waitingTexts struct {
	title, accountTitle, lead, accountLead string
	open, state, success, lost, reloads    string
	other                                  string
	phone, phoneHow, phoneLink, code       string
	qr                                     string
	cancel                                 string
}

type phoneTexts struct{ title, lead, accountLead, code, warning, next string }

type linkTexts struct {
	title, lead, client, next string
	warning                   string
	waitingTitle, waitingLead string
	doneTitle, doneLead       string
}

type consentTexts struct {
	title, again                    string
	who, answer, signedIn, notYou   string
	account                         string
	own                             string
	what, implied                   string
	limits, readOnly, noDelete      string
	folders, foldersHint            string
	lifetime                        string
	service                         string
	nothing                         string
	deny, allow                     string
	changeTitle, changeLead         string
	changeNothing, save, changeBack string
}

type leavingTexts struct {
	title, deniedTitle, lead, deniedLead string
	back, close                          string
	onward, onwardLead, onwardLink       string
}

type accountTexts struct {
	title, signedIn, signOut             string
	connections, none, noneHow           string
	paused, since, lastUsed, ends, noEnd string
	answer, may                          string
	readOnly, noDelete, folders          string
	change, pause, resume, end, endHint  string
	endAll, endAllHint                   string
	lately, latelyHint, nothing          string
	when, client, tool, object, outcome  string
}

type signedOutTexts struct{ title, lead, again string }

type failureTexts struct{ again, back, code string }

// languages are in the order of preference for a browser that likes all the same.
var languages = []*texts{english, german}
