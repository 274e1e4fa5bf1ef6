package nextcloudtest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fetch asks a running server and reads the whole answer.
func fetch(t *testing.T, s *Server, target string) (received, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("OCS-APIRequest", "true")
	r.Header.Set("Authorization", basic("alice", "alice-password-1"))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return received{}, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return received{answer.StatusCode, answer.Header}, string(body), err
}

func TestFaults(t *testing.T) {
	s := Start(t, nil)
	tests := []struct {
		name  string
		fault Fault
		check func(received, string, error) bool
	}{
		{"status and header", Fault{Status: http.StatusLocked, Header: http.Header{"Retry-After": {"3"}}}, func(r received, _ string, err error) bool {
			return err == nil && r.status == http.StatusLocked && r.header.Get("Retry-After") == "3"
		}},
		{"body", Fault{Body: "odd"}, func(r received, body string, err error) bool {
			return err == nil && r.status == http.StatusOK && body == "odd"
		}},
		{"HTML", Fault{HTML: true, Status: http.StatusBadGateway}, func(r received, body string, err error) bool {
			return err == nil && r.status == http.StatusBadGateway && strings.HasPrefix(body, "<!DOCTYPE html>")
		}},
		{"cut body", Fault{CutBody: 10}, func(r received, body string, err error) bool {
			return r.status == http.StatusOK && errors.Is(err, io.ErrUnexpectedEOF) && len(body) == 10
		}},
		{"wrong length", Fault{WrongContentLength: true}, func(_ received, _ string, err error) bool {
			return errors.Is(err, io.ErrUnexpectedEOF)
		}},
		{"garbage XML", Fault{GarbageXML: true}, func(r received, body string, err error) bool {
			var v any
			return err == nil && strings.Contains(r.header.Get("Content-Type"), "xml") && xml.Unmarshal([]byte(body), &v) != nil
		}},
		{"garbage JSON", Fault{GarbageJSON: true}, func(_ received, body string, err error) bool {
			return err == nil && !json.Valid([]byte(body))
		}},
		{"reset", Fault{Reset: true}, func(_ received, _ string, err error) bool { return err != nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.fault.Times, test.fault.PathPrefix, test.fault.Method = 1, "/ocs/", http.MethodGet
			s.Fault(test.fault)
			if answer, _, err := fetch(t, s, "/status.php"); err != nil || answer.status != http.StatusOK {
				t.Errorf("another path was hit: %v", err)
			}
			if answer, body, err := fetch(t, s, whoAmI); !test.check(answer, body, err) {
				t.Errorf("answer %+v, body %.200q, error %v", answer, body, err)
			}
			if answer, body, err := fetch(t, s, whoAmI); err != nil || answer.status != http.StatusOK || !json.Valid([]byte(body)) {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

func TestFaultIsCleared(t *testing.T) {
	s := New(nil)
	clearFault := s.Fault(Fault{Status: http.StatusServiceUnavailable})
	for range 3 {
		wantStatus(t, "lasting fault", http.StatusServiceUnavailable, ask(t, s, http.MethodGet, "/status.php", "").Code)
	}
	clearFault()
	wantStatus(t, "cleared", http.StatusOK, ask(t, s, http.MethodGet, "/status.php", "").Code)
	s.Fault(Fault{Status: http.StatusServiceUnavailable})
	s.ClearFaults()
	wantStatus(t, "all cleared", http.StatusOK, ask(t, s, http.MethodGet, "/status.php", "").Code)
}

func TestDelay(t *testing.T) {
	s := New(nil)
	s.Fault(Fault{Delay: 20 * time.Millisecond, Times: 1})
	start := time.Now()
	wantStatus(t, "delayed", http.StatusOK, ask(t, s, http.MethodGet, "/status.php", "").Code)
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
}
