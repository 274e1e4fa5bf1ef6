package deck_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/deck"
)

type answer []byte

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(a)), ContentLength: int64(len(a)),
	}, nil
}

func answering(body []byte) *deck.Client {
	host := nextcloud.NewHost(&url.URL{Scheme: "https", Host: "cloud.example"}, &nextcloud.HostOptions{Transport: answer(body)})
	return deck.New(nextcloud.New(host, nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"}))
}

// board is the answer that holds n cards in ten lists.
func board(n int) []byte {
	var b bytes.Buffer
	b.WriteString("[")
	for i := range 10 {
		fmt.Fprintf(&b, `%s{"id":%d,"title":"List %d","boardId":1,"deletedAt":0,"lastModified":1795404865,"cards":[`, comma(i), i+1, i)
		for j := range n / 10 {
			fmt.Fprintf(&b, `%s{"id":%d,"title":"Card %d","description":%q,"color":null,"stackId":%d,"type":"plain","lastModified":1795404865,`+
				`"labels":[{"id":1,"title":"Finished","color":"31CC7C","boardId":1}],"assignedUsers":[{"id":2,"participant":{"uid":"bob","displayname":"Bob Example"},"type":0}],`+
				`"attachmentCount":0,"owner":{"uid":"alice","displayname":"Alice Example"},"order":%d,"archived":false,"done":null,"duedate":null,"deletedAt":0}`,
				comma(j), i*n/10+j+1, j, strings.Repeat("what has to be done ", 20), i+1, j)
		}
		fmt.Fprintf(&b, `],"order":%d,"isDoneColumn":false}`, i)
	}
	b.WriteString("]")
	return b.Bytes()
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// TestLargeBoard: what is alive while a board of thousands is read does not
// grow with its cards, beside the answer itself.
func TestLargeBoard(t *testing.T) {
	const n = 5000
	c := answering(board(n))
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var early, late uint64
	seen := 0
	stacks, skipped, err := c.EachCard(t.Context(), 1, false, func(*deck.Card) {
		switch seen++; seen {
		case 100:
			early = live()
		case n:
			late = live()
		}
	})
	if err != nil || len(skipped) > 0 || seen != n || len(stacks) != 10 {
		t.Fatalf("%d cards, %d lists, %v, %v", seen, len(stacks), skipped, err)
	}
	if late > early+64<<10 {
		t.Errorf("%d bytes more are alive after %d cards than after 100", late-early, n)
	}
}

func TestOddBoards(t *testing.T) {
	for body, want := range map[string]string{
		`{"0":{"id":1,"title":"a","cards":{"3":{"id":5,"stackId":1},"7":{"id":6,"stackId":1}}},"2":{"id":2}}`: "2 cards, 2 lists, 0 skipped",
		`[{"id":1,"cards":null},{"id":"2","cards":[]}]`:                                                       "0 cards, 2 lists, 0 skipped",
		`[{"id":1,"cards":[{"id":1},{"id":"x"},null,[],7,{"title":"no id"}]}]`:                                "1 cards, 1 lists, 5 skipped",
		`[{"id":1,"cards":"none"},null,7,[{"id":3}],{"title":"no id","cards":[{"id":9}]}]`:                    "1 cards, 1 lists, 5 skipped",
		`[]`: "0 cards, 0 lists, 0 skipped",
	} {
		n := 0
		stacks, skipped, err := answering([]byte(body)).EachCard(t.Context(), 1, false, func(*deck.Card) { n++ })
		if got := fmt.Sprintf("%d cards, %d lists, %d skipped", n, len(stacks), len(skipped)); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", body, got, err, want)
		}
	}
	for _, body := range []string{``, `7`, `"x"`, `[{"id":1,"cards":[{"id":1}`, `<html>`, `[{"id":1},`} {
		if _, _, err := answering([]byte(body)).EachCard(t.Context(), 1, false, func(*deck.Card) {}); err == nil || !strings.Contains(err.Error(), "unexpected answer") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func FuzzBoard(f *testing.F) {
	f.Add(board(20))
	f.Add([]byte(`{"0":{"id":1,"cards":{"3":{"id":5}}}}`))
	f.Add([]byte(`[{"id":1,"cards":[[{}],{"labels":{"1":{"id":"1"}},"assignedUsers":[]}]}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _, err := answering(body).EachCard(t.Context(), 1, true, func(k *deck.Card) {
			if k.ID <= 0 {
				t.Error("a card without an id")
			}
		})
		if err != nil && !strings.Contains(err.Error(), "unexpected answer") {
			t.Error(err)
		}
	})
}

func BenchmarkEachCard(b *testing.B) {
	for _, n := range []int{500, 5000, 50_000} {
		c := answering(board(n))
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.EachCard(b.Context(), 1, false, func(*deck.Card) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
