package doctor

import (
	"errors"
	"fmt"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/store"
)

const databaseSetting = "TOKEN_STORAGE_DB"

func settingsFine(mode config.Mode) finding { return good("no mistakes, " + mode.String() + " mode") }

func wrongSetting(p config.Problem) finding {
	fix := "correct " + p.Variable
	if p.Example != "" {
		fix += ", for example " + p.Example
	}
	p.Example = ""
	return bad(p.String(), fix)
}

func doubtfulSetting(w config.Warning) finding {
	return warn(w.String(), "change or remove "+w.Variable+", see docs/configuration.md")
}

func portFree(port int) finding {
	return good(fmt.Sprintf("port %d of this machine is free: the server does not run here now, but could", port))
}

func portOurs(port int) finding { return good(fmt.Sprintf("the server listens on port %d", port)) }

func portTaken(port int) finding {
	return bad(fmt.Sprintf("another program has port %d", port), "end that program, or set PORT to another port")
}

func databaseLater(path string) finding {
	return good("there is no database yet; it will be made at " + path)
}

func databaseUnreadable(path string) finding {
	return bad(path+" cannot be looked at", "let this user read its directory, or correct "+databaseSetting)
}

func databaseNoFile(path string) finding {
	return bad(path+" is not a file", "give the path of a file in "+databaseSetting)
}

func databaseNoDirectory(dir string) finding {
	return bad("nothing can be written in "+dir, "let this user write there, or correct "+databaseSetting)
}

func filesFine(path string) finding { return good(path + " is there, for its owner only") }

func openFile(name string) finding {
	return warn("other users of this machine can read "+name, "chmod 600 "+name)
}

func diskLow(dir string, free uint64) finding {
	return warn(fmt.Sprintf("only %d MB are free in %s", free>>20, dir), "make room: a database that cannot write refuses sign-ins")
}

func diskFine(free uint64) finding {
	if free < 10<<30 {
		return good(fmt.Sprintf("%d MB are free", free>>20))
	}
	return good(fmt.Sprintf("%d GB are free", free>>30))
}

func databaseEmpty() finding {
	return good("the database answers and is empty; the server sets it up when it starts")
}

func databaseOld() finding {
	return good("the database is of an older version; the server brings it up to date when it starts")
}

func databaseFails(err error) finding {
	var e *store.Error
	if !errors.As(err, &e) || e.Message == "" {
		return bad("the database does not open", "look into the server's log")
	}
	fix := "correct " + databaseSetting + " or DATABASE_URL"
	switch {
	case errors.Is(err, store.ErrWrongKey), errors.Is(err, store.ErrBadKey):
		fix = "put the right key into TOKEN_ENCRYPTION_KEY, or the key file back"
	case errors.Is(err, store.ErrTooNew):
		fix = "run the newer version again"
	case errors.Is(err, store.ErrLocked):
		fix = "end the other program that holds the database"
	case errors.Is(err, store.ErrReadOnly):
		fix = "let this user write the file and its directory"
	case errors.Is(err, store.ErrDiskFull):
		fix = "make room on the disk"
	case errors.Is(err, store.ErrUnreachable):
		fix = "start PostgreSQL, or correct DATABASE_URL"
	}
	return bad(e.Message, fix)
}

func databaseOpens() finding { return good("it opens, and the key fits") }

func databaseHolds(c *counts) finding {
	return good(fmt.Sprintf("%d connections, %d registered clients, %d app passwords to delete", c.grants, c.clients, c.waiting))
}

func revocationsLate(n int) finding {
	return warn(fmt.Sprintf("%d app passwords of ended connections could not be deleted in Nextcloud yet", n), "make Nextcloud reachable: the server tries again by itself")
}
