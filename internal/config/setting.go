package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Setting is one row of the table: where a value may come from, what it means,
// and which field of Config it ends in.
type Setting struct {
	Env         string   // environment variable; unique
	Aliases     []string // older names of the variable
	Flag        string   // long flag without dashes; empty for none
	Short       string   // one-letter flag; empty for none
	HiddenFlags []Flag   // older names of the flag
	Switches    []Switch // flags that stand for one value each
	Section     Section
	Default     string // the value when nothing is set; empty for none
	Derived     string // the default in words, where it follows from other settings
	Doc         string // one sentence; the first clause must do for --help
	Example     string // a right value
	Secret      bool   // never shown; may come from a file named by Env + "_FILE"

	kind kind
}

// Flag is another name of a flag.
type Flag struct{ Name, Short string }

// Switch is a flag without a value that stands for one value of its setting.
type Switch struct{ Flag, Value, Doc string }

// Section groups settings in --help and in the documentation.
type Section string

// The sections, in the order they are shown.
const (
	SectionNextcloud Section = "Nextcloud"
	SectionServer    Section = "Server"
	SectionSignIn    Section = "Sign-in"
	SectionStorage   Section = "Storage"
	SectionTools     Section = "Tools"
	SectionOperation Section = "Logs and metrics"
)

// Sections are all sections in the order they are shown.
func Sections() []Section {
	return []Section{SectionNextcloud, SectionServer, SectionSignIn, SectionStorage, SectionTools, SectionOperation}
}

// Allowed are the values of a closed set; nil when any value of the right form
// will do.
func (s *Setting) Allowed() []string { return slices.Clone(s.kind.allowed) }

// FileEnv is the variable that names a file with the value; empty unless the
// setting is secret.
func (s *Setting) FileEnv() string {
	if !s.Secret {
		return ""
	}
	return s.Env + "_FILE"
}

func (s *Setting) example() string {
	switch {
	case s.Example != "":
		return s.Env + "=" + s.Example
	case s.Default != "":
		return s.Env + "=" + s.Default
	case len(s.kind.allowed) > 0:
		return s.Env + "=" + s.kind.allowed[0]
	}
	return ""
}

// names are the variable and its older names, best first.
func (s *Setting) names() []string { return append([]string{s.Env}, s.Aliases...) }

// Lookup is the row of an environment variable by its present name; nil when
// there is none.
func Lookup(env string) *Setting {
	if i := position(env); i < len(settings) {
		return &settings[i]
	}
	return nil
}

// Settings are all rows of the table, in the order they are shown.
func Settings() []Setting { return slices.Clone(settings) }

// position is the place of a variable in the table, its length for others.
func position(env string) int {
	i := slices.IndexFunc(settings, func(s Setting) bool { return s.Env == env })
	if i < 0 {
		return len(settings)
	}
	return i
}

// sectionAnnotation marks a flag with its section, for grouped help.
const sectionAnnotation = "section"

// FlagSection is the section of a flag that RegisterFlags made; false for
// other flags.
func FlagSection(f *pflag.Flag) (Section, bool) {
	if a := f.Annotations[sectionAnnotation]; len(a) == 1 {
		return Section(a[0]), true
	}
	return "", false
}

// RegisterFlags adds the flags of the given sections to fs, of all sections
// when none is given. The values stay text until Load reads them, so that what
// is wrong with them is shown together with everything else.
func RegisterFlags(fs *pflag.FlagSet, sections ...Section) {
	for i := range settings {
		s := &settings[i]
		if len(sections) > 0 && !slices.Contains(sections, s.Section) {
			continue
		}
		if s.Flag != "" {
			register(fs, s, Flag{s.Flag, s.Short}).Hidden = s.Secret
		}
		for _, f := range s.HiddenFlags {
			register(fs, s, f).Hidden = true
		}
		for _, sw := range s.Switches {
			f := fs.VarPF(&flagValue{boolean: true}, sw.Flag, "", sw.Doc)
			f.NoOptDefVal = "true"
			annotate(f, s)
		}
	}
}

func register(fs *pflag.FlagSet, s *Setting, name Flag) *pflag.Flag {
	summary, _, _ := strings.Cut(s.Doc, ". ")
	value := &flagValue{metavar: s.kind.metavar, boolean: s.kind.boolean, def: s.Default}
	f := fs.VarPF(value, name.Name, name.Short, strings.TrimSuffix(summary, "."))
	if s.kind.boolean {
		f.NoOptDefVal = "true"
	}
	annotate(f, s)
	return f
}

func annotate(f *pflag.Flag, s *Setting) {
	f.Annotations = map[string][]string{sectionAnnotation: {string(s.Section)}}
}

// flagValue keeps what was written after a flag. It implements pflag.Value.
type flagValue struct {
	metavar string
	boolean bool
	def     string
	given   []string
}

func (v *flagValue) String() string {
	if len(v.given) == 0 {
		return v.def
	}
	return strings.Join(v.given, ",")
}

func (v *flagValue) Set(text string) error {
	if v.boolean {
		b, err := parseBool(text)
		if err != nil {
			return err
		}
		text = strconv.FormatBool(b)
	}
	v.given = append(v.given, text)
	return nil
}

func (v *flagValue) Type() string {
	if v.boolean {
		return "bool"
	}
	return v.metavar
}
