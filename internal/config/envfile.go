package config

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// DefaultEnvFile is read from the working directory when it is there.
const DefaultEnvFile = ".env"

// maxFile bounds .env files and secret files, in bytes.
const maxFile = 1 << 20

// EnvFile is what a .env file sets. The zero value sets nothing.
type EnvFile struct {
	Name     string
	vars     map[string]string
	open     bool // others than its owner can read it
	problems Problems
	account  map[string]string // see WithAccount
}

// ReadEnvFile reads the .env file called name. What is wrong with it is kept
// for Load to report, with line numbers and never with the line: it may hold a
// password. A missing file is a problem unless optional.
//
// Values are taken as they stand. There is no expansion of $ and no command
// substitution, because a password may hold any character; this is also why
// the file is not read by one of the usual libraries.
func ReadEnvFile(name string, optional bool) EnvFile {
	file := EnvFile{Name: name, vars: map[string]string{}}
	content, mode, err := readBounded(name)
	switch {
	case optional && errors.Is(err, fs.ErrNotExist):
		return file
	case err != nil:
		file.problems = Problems{{Variable: "--env-file", Wrong: reason(name, err), Example: "--env-file .env"}}
		return file
	}
	file.open = othersCanRead(mode)
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))))
	lines.Buffer(nil, maxFile+1)
	for n := 1; lines.Scan(); n++ {
		key, value, wrong := parseLine(lines.Text())
		if wrong != "" {
			file.problems = append(file.problems, Problem{
				Variable: fmt.Sprintf("%s line %d", name, n), Wrong: wrong, Example: "NEXTCLOUD_HOST=https://cloud.example.org",
			})
		} else if key != "" {
			file.vars[key] = value
		}
	}
	return file
}

var (
	envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	escapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, `\n`, "\n", `\r`, "\r", `\t`, "\t")
)

// parseLine reads NAME=value, with an optional "export " before it. Single
// quotes keep everything, double quotes know backslash escapes, and a value
// without quotes ends at white space before a #.
func parseLine(line string) (key, value, wrong string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", ""
	}
	if rest, ok := strings.CutPrefix(line, "export"); ok && rest != strings.TrimLeft(rest, " \t") {
		line = strings.TrimLeft(rest, " \t")
	}
	key, value, ok := strings.Cut(line, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	switch {
	case !ok:
		return "", "", "there is no = in the line"
	case !envName.MatchString(key):
		return "", "", "what stands before the = is not a variable name"
	case value == "" || value[0] == '#':
		return key, "", ""
	case value[0] == '"' || value[0] == '\'':
		value, wrong = unquote(value)
		return key, value, wrong
	}
	for i := 1; i < len(value); i++ {
		if value[i] == '#' && (value[i-1] == ' ' || value[i-1] == '\t') {
			value = strings.TrimSpace(value[:i])
			break
		}
	}
	return key, value, ""
}

func unquote(quoted string) (value, wrong string) {
	mark := quoted[0]
	for i := 1; i < len(quoted); i++ {
		switch {
		case quoted[i] == '\\' && mark == '"':
			i++
		case quoted[i] == mark:
			if rest := strings.TrimSpace(quoted[i+1:]); rest != "" && rest[0] != '#' {
				return "", "something follows the closing quote"
			}
			value = quoted[1:i]
			if mark == '"' {
				value = escapes.Replace(value)
			}
			return value, ""
		}
	}
	return "", "the closing quote is missing"
}

// readBounded reads a small regular file.
func readBounded(name string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, 0, err
	}
	if len(content) > maxFile {
		return nil, 0, fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return content, info.Mode(), nil
}

// reason is why name could not be read, in one sentence.
func reason(name string, err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Sprintf("%s cannot be read: %v", name, path.Err)
	}
	return err.Error()
}

// othersCanRead reports whether group or world may read a file. Windows has no
// such bits.
func othersCanRead(mode fs.FileMode) bool {
	return runtime.GOOS != "windows" && mode.Perm()&0o044 != 0
}
