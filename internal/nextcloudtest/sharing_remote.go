package nextcloudtest

import (
	"net/http"
	"path"
	"slices"
	"time"
)

// RemoteShare is something that a person of another server shares with a user.
type RemoteShare struct {
	Name     string // of the file or folder there
	Remote   string // address of the other server
	Owner    string // user id there
	Accepted bool   // else it waits
	Folder   bool
}

// remoteShare is one row of the table of incoming federated shares. Its ids are of their own.
type remoteShare struct {
	RemoteShare
	id    string
	user  string
	token string
	at    time.Time
}

// AddRemoteShare stores a share from another server for a user, and returns its id there.
func (s *Server) AddRemoteShare(userID string, in RemoteShare) string {
	d := &s.sharing
	d.mu.Lock()
	defer d.mu.Unlock()
	// Nextcloud 34 numbers these by snowflake ids, which are beyond what JavaScript's numbers hold.
	one := &remoteShare{RemoteShare: in, id: itoaID(94_000_000_000_000_001 + len(d.remotes)), user: userID, token: randomText(15), at: s.now()}
	d.remotes = append(d.remotes, one)
	return one.id
}

func (m *remoteShare) data() shareJSON {
	name := path.Join("/", m.Name)
	out := shareJSON{
		"id": m.id, "parent": nil, "share_type": shareUser, "remote": m.Remote, "remote_id": "7", "share_token": m.token,
		"name": name, "owner": m.Owner, "user": m.user, "mountpoint": "{{TemporaryMountPointName#" + name + "}}", "accepted": flag(m.Accepted),
		"file_id": nil, "mimetype": nil, "permissions": nil, "mtime": nil, "type": nil, "item_size": nil,
	}
	if m.Accepted {
		out["mountpoint"], out["permissions"], out["mtime"] = name, mayRead|mayDelete, m.at.Unix()
		out["type"], out["mimetype"], out["file_id"], out["item_size"] = "file", typeOfName(name), 9001, 12
		if m.Folder {
			out["type"], out["mimetype"] = "dir", "httpd/unix-directory"
		}
	}
	return out
}

func (s *Server) remoteShares(accepted bool) func(a *account, r *http.Request) (any, *shareFault) {
	return func(a *account, _ *http.Request) (any, *shareFault) {
		found := []any{}
		for _, m := range s.sharing.remotes {
			if m.user == a.id && m.Accepted == accepted {
				found = append(found, m.data())
			}
		}
		return found, nil
	}
}

func (s *Server) remoteShare(a *account, r *http.Request) (*remoteShare, *shareFault) {
	for _, m := range s.sharing.remotes {
		if m.user == a.id && m.id == r.PathValue("id") {
			return m, nil
		}
	}
	return nil, refuseShare(http.StatusNotFound, "Wrong share ID, share does not exist.")
}

func (s *Server) getRemoteShare(a *account, r *http.Request) (any, *shareFault) {
	m, fault := s.remoteShare(a, r)
	if fault != nil {
		return nil, fault
	}
	return m.data(), nil
}

func (s *Server) acceptRemoteShare(a *account, r *http.Request) (any, *shareFault) {
	m, fault := s.remoteShare(a, r)
	if fault != nil {
		return nil, fault
	}
	m.Accepted = true
	return noData, nil
}

// dropRemoteShare declines what waits, and removes what was accepted.
func (s *Server) dropRemoteShare(a *account, r *http.Request) (any, *shareFault) {
	m, fault := s.remoteShare(a, r)
	if fault != nil {
		return nil, fault
	}
	s.sharing.remotes = slices.DeleteFunc(s.sharing.remotes, func(other *remoteShare) bool { return other == m })
	return noData, nil
}
