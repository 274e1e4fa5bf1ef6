package config

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A Check looks for problems that the table cannot know, such as names that
// only the tool registry knows.
type Check func(*Config, *Problems)

// Load reads the configuration: a flag outranks the environment, the
// environment outranks the .env file, and that outranks the default. A value
// that is empty counts as not set. Nil flags are no flags.
//
// All that is wrong is reported at once, as Problems; the Config is then the
// best that could be made of the rest.
func Load(flags *pflag.FlagSet, environ []string, file EnvFile, checks ...Check) (*Config, []Warning, error) {
	l := loader{
		config:   &Config{},
		flags:    flags,
		sources:  []source{{vars: parseEnviron(environ)}, {name: "in " + file.Name, vars: file.vars}, {name: accountSource, vars: file.account}},
		problems: slices.Clone(file.problems),
	}
	for i := range settings {
		l.load(&settings[i])
	}
	l.checkEnvFile(file)
	l.warnings = append(l.warnings, unknown(l.sources)...)
	l.warnings = append(l.warnings, l.config.dropCredentials(l.problems)...)
	l.config.derive(l.sources[0].vars, isDirectory)
	l.config.validate(&l.problems)
	for _, check := range checks {
		check(l.config, &l.problems)
	}
	l.warnings = append(l.warnings, l.config.warnings()...)
	return l.config, l.warnings, l.problems.err()
}

type loader struct {
	config   *Config
	flags    *pflag.FlagSet
	sources  []source // best first
	warnings []Warning
	problems Problems
}

// source is one place that variables come from; the environment has no name.
type source struct {
	name string
	vars map[string]string
}

func parseEnviron(environ []string) map[string]string {
	vars := make(map[string]string, len(environ))
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
			vars[name] = value
		}
	}
	return vars
}

// load puts the default of s into its field, and the value over it.
func (l *loader) load(s *Setting) {
	if s.Default != "" {
		if err := s.kind.set(l.config, s.Default); err != nil {
			panic(fmt.Sprintf("default of %s: %v", s.Env, err)) // a mistake in the table
		}
	}
	value, where, ok := l.find(s)
	if !ok {
		return
	}
	if where == accountSource {
		l.config.Nextcloud.LoggedIn = true
	}
	if !s.Secret {
		value = strings.TrimSpace(value)
		if quoted(value) {
			l.problem(s, where, "the value has quotes around it; write it without them")
			return
		}
	}
	if err := s.kind.set(l.config, value); err != nil {
		l.problem(s, where, err.Error())
	}
}

func (l *loader) problem(s *Setting, where, wrong string) {
	l.problems = append(l.problems, Problem{Variable: s.Env, Source: where, Wrong: wrong, Example: s.example()})
}

func (l *loader) find(s *Setting) (value, where string, ok bool) {
	if value, where, ok = l.findFlag(s); ok {
		return value, where, true
	}
	for _, source := range l.sources {
		if value, where, ok = l.findVariable(s, source); ok {
			return value, where, true
		}
	}
	return "", "", false
}

func (l *loader) findFlag(s *Setting) (value, where string, ok bool) {
	if l.flags == nil {
		return "", "", false
	}
	for _, sw := range s.Switches {
		f := l.flags.Lookup(sw.Flag)
		if f == nil || !f.Changed || f.Value.String() != "true" {
			continue
		}
		if ok {
			l.problem(s, where, "--"+sw.Flag+" says the opposite; give one of them")
			continue
		}
		value, where, ok = sw.Value, "--"+sw.Flag, true
	}
	if ok {
		return value, where, true
	}
	var values []string
	for _, name := range append([]Flag{{Name: s.Flag}}, s.HiddenFlags...) {
		f := l.flags.Lookup(name.Name)
		if f == nil || !f.Changed {
			continue
		}
		given, isOurs := f.Value.(*flagValue)
		if !isOurs {
			continue
		}
		where = "--" + name.Name
		values = append(values, given.given...)
	}
	values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
	switch {
	case len(values) == 0:
		return "", "", false
	case s.kind.list:
		return strings.Join(values, ","), where, true
	}
	if s.Secret {
		l.warnings = append(l.warnings, Warning{where, "every user of this machine can read it in the list of processes; use " + s.Env + " or " + s.FileEnv()})
	}
	return values[len(values)-1], where, true
}

func (l *loader) findVariable(s *Setting, from source) (value, where string, ok bool) {
	for _, name := range s.names() {
		if value = from.vars[name]; value == "" {
			continue
		}
		if name != s.Env {
			l.warnings = append(l.warnings, Warning{name, "this is an older name of " + s.Env})
		}
		where, ok = from.name, true
		break
	}
	if path := from.vars[s.FileEnv()]; s.Secret && path != "" {
		if ok {
			l.problem(s, where, "it is set, and "+s.FileEnv()+" too; set one of them")
			return value, where, true
		}
		return l.readSecret(s, path)
	}
	return value, where, ok
}

// readSecret reads the file that a _FILE variable names. Editors and echo put
// a line end after the secret, which is not part of it.
func (l *loader) readSecret(s *Setting, path string) (value, where string, ok bool) {
	content, _, err := readBounded(path)
	if err != nil {
		l.problem(s, s.FileEnv(), reason(path, err))
		return "", "", false
	}
	value = strings.TrimRight(string(content), "\r\n")
	if value == "" {
		l.problem(s, s.FileEnv(), path+" is empty")
		return "", "", false
	}
	return value, s.FileEnv(), true
}

func (l *loader) checkEnvFile(file EnvFile) {
	if !file.open {
		return
	}
	for i := range settings {
		for _, name := range settings[i].names() {
			if settings[i].Secret && file.vars[name] != "" {
				l.warnings = append(l.warnings, Warning{file.Name, "other users of this machine can read it, and it holds " + name + "; run: chmod 600 " + file.Name})
				return
			}
		}
	}
}

func quoted(value string) bool {
	if len(value) < 2 || value[0] != value[len(value)-1] {
		return false
	}
	return value[0] == '"' || value[0] == '\''
}

// dropCredentials empties what the chosen mode must not use: a server for many
// people never falls back on one person's password.
func (c *Config) dropCredentials(problems Problems) []Warning {
	if (c.Deployment != LoginFlow && c.Deployment != MultiUserBasic) || (c.Nextcloud.Username == "" && c.Nextcloud.Password == "") {
		return nil
	}
	c.Nextcloud.Username, c.Nextcloud.Password = "", ""
	if problems.Has("MCP_DEPLOYMENT_MODE") {
		return nil
	}
	return []Warning{{"NEXTCLOUD_USERNAME", "many people sign in themselves, so NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD are not used"}}
}

// derive fills in the defaults that follow from other settings.
func (c *Config) derive(env map[string]string, isDirectory func(string) bool) {
	if c.Nextcloud.Public == nil {
		c.Nextcloud.Public = c.Nextcloud.Host
	}
	if c.Server.PublicURL == nil {
		c.Server.PublicURL = &url.URL{Scheme: "http", Host: fmt.Sprintf("localhost:%d", c.Server.Port)}
	}
	if c.Storage.Database == "" {
		c.Storage.Database = defaultDatabase(env, isDirectory)
	}
}

// containerData is the volume of the container image.
const containerData = "/app/data"

// defaultDatabase is a place that survives restarts; empty when there is none,
// because registrations in a temporary file would be lost with it.
func defaultDatabase(env map[string]string, isDirectory func(string) bool) string {
	const name = "tokens.db"
	if isDirectory(containerData) {
		return filepath.Join(containerData, name)
	}
	state := env["XDG_STATE_HOME"]
	// XDG Base Directory Specification: relative paths are invalid and ignored.
	switch {
	case filepath.IsAbs(state):
	case filepath.IsAbs(env["HOME"]):
		state = filepath.Join(env["HOME"], ".local", "state")
	case filepath.IsAbs(env["LOCALAPPDATA"]): // Windows, where HOME is not set
		state = env["LOCALAPPDATA"]
	default:
		return ""
	}
	return filepath.Join(state, "nextcloud-mcp-server", name)
}

func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
