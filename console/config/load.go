package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"
)

// Env is what a configuration refers to outside of itself. OS is the real one;
// tests bring their own.
type Env struct {
	Glob      func(pattern string) ([]string, error)
	ReadFile  func(path string) ([]byte, error)
	Stat      func(path string) (version string, err error) // version changes when the file does
	LookupEnv func(name string) (string, bool)
	LookPath  func(program string) error
}

// OS is the machine plumb runs on.
func OS() Env {
	return Env{
		Glob:      filepath.Glob,
		ReadFile:  readBounded,
		LookupEnv: os.LookupEnv,
		LookPath:  func(program string) error { _, err := exec.LookPath(program); return err },
		Stat: func(path string) (string, error) {
			info, err := os.Stat(path)
			switch {
			case err != nil:
				return "", err
			case info.IsDir():
				return "", errors.New("is a directory")
			case !info.Mode().IsRegular():
				return "", errors.New("is not a regular file")
			}
			return fmt.Sprint(info.Size(), info.ModTime().UnixNano()), nil
		},
	}
}

// Bounds of what is read.
const (
	maxFile  = 64 << 20 // bytes of one file
	maxFiles = 1000     // that are included
)

func readBounded(path string) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(b) > maxFile {
		return nil, fmt.Errorf("is larger than %d MiB", maxFile>>20)
	}
	return b, err
}

// openRegular opens a file, and nothing that could make its reader wait: a
// named pipe among the included files would hold the start, and each reload,
// for ever.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = errors.New("is a directory")
	case !info.Mode().IsRegular():
		err = errors.New("is not a regular file")
	default:
		return f, nil
	}
	f.Close()
	return nil, err
}

// Load reads the configuration at path and what it includes. The error is an
// *[Errors] when the text is at fault.
func Load(ctx context.Context, path string) (*File, error) {
	env := OS()
	data, err := env.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, reason(err))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return Parse(path, data, env)
}

// Parse reads a configuration that name stands for in errors and whose
// relative paths are relative to name's directory.
func Parse(name string, data []byte, env Env) (*File, error) {
	b := &builder{env: env, errs: &Errors{}}
	main := b.parse(name, data)
	b.files = append(b.files, name)
	parts := []part{{dirOf(name), main}}
	if main != nil {
		parts = append(parts, b.include(dirOf(name), main)...)
	}
	f := b.build(parts)
	if err := b.errs.err(b.files); err != nil {
		return nil, err
	}
	return f, nil
}

// part is one file, with the directory its relative paths start from.
type part struct {
	dir string
	*fileYAML
}

// dirOf is absolute where the working directory is known.
func dirOf(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		name = abs
	}
	return filepath.Dir(name)
}

func inDir(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// include reads what the main file includes, each file once, in order.
func (b *builder) include(dir string, main *fileYAML) []part {
	var parts []part
	seen := []string{inDir(dir, filepath.Base(b.files[0]))}
	for _, pattern := range main.Include {
		paths, err := b.env.Glob(inDir(dir, pattern.name))
		if err != nil {
			b.errs.add(pattern.at, "include", quote(pattern.name)+" is not a pattern: "+err.Error(), "")
			continue
		}
		if len(paths) == 0 && !strings.ContainsAny(pattern.name, "*?[") {
			b.errs.add(pattern.at, "include", "there is no file "+quote(pattern.name), "")
		}
		slices.Sort(paths)
		for _, path := range paths {
			if slices.Contains(seen, path) {
				continue
			}
			if seen = append(seen, path); len(seen) > maxFiles {
				b.errs.add(pattern.at, "include", fmt.Sprintf("more than %d files", maxFiles), "")
				return parts
			}
			if p := b.includeOne(dir, path, pattern); p != nil {
				parts = append(parts, part{filepath.Dir(path), p})
			}
		}
	}
	return parts
}

func (b *builder) includeOne(dir, path string, pattern ref) *fileYAML {
	name := path
	if rel, err := filepath.Rel(dir, path); err == nil {
		name = filepath.Join(filepath.Dir(b.files[0]), rel)
	}
	data, err := b.env.ReadFile(path)
	if err != nil {
		b.errs.add(pattern.at, "include", quote(name)+": "+reason(err).Error(), "")
		return nil
	}
	b.files = append(b.files, name)
	f := b.parse(name, data)
	if f != nil && len(f.Include) > 0 {
		b.errs.add(f.Include[0].at, "include", "only the main file includes others", "list the file in "+b.files[0])
	}
	return f
}

// parse decodes one file; nil when it is not YAML or empty.
func (b *builder) parse(name string, data []byte) (f *fileYAML) {
	f = &fileYAML{At: place{name, 1, 1}}
	if !b.one(name, data, f) {
		return nil
	}
	return f
}

// one reads the one document of a file into what to points to. An empty file
// leaves it as it is.
func (b *builder) one(name string, data []byte, to any) bool {
	doc, err := document(data)
	switch {
	case errors.Is(err, io.EOF):
		return true
	case errors.Is(err, errSecond):
		b.errs.add(place{name, doc.Line, doc.Column}, "the file", "has a second document", "remove the line `---` and put both parts into one")
		return false
	case err != nil:
		b.syntax(name, err)
		return false
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return true
	}
	d := &decoder{file: name, errs: b.errs, budget: 4*len(data) + 1000}
	d.into(doc.Content[0], to, "")
	return true
}

var errSecond = errors.New("second document")

// document reads the one document of a file; with errSecond it is the second.
// A panic of the YAML library, on input nobody thought of, is an error too.
func document(data []byte) (doc *yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			doc, err = nil, errors.New("cannot be read")
		}
	}()
	in := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := in.Decode(&first); err != nil {
		return nil, err
	}
	switch err := in.Decode(&second); {
	case err == nil:
		return &second, errSecond
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return &first, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntax reports what the YAML parser says at its line.
func (b *builder) syntax(name string, err error) {
	at, why := place{name, 1, 1}, err.Error()
	if m := yamlLine.FindStringSubmatch(why); m != nil {
		why = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			at.line = n
		}
	}
	hint := ""
	// These two quote what stands in the file, which may be a password that
	// begins with * and was not put in quotes.
	switch {
	case strings.HasPrefix(why, "unknown anchor"):
		why, hint = "an alias (*name) without its anchor (&name)", "put text that begins with * in quotes"
	case strings.HasPrefix(why, "anchor "):
		why, hint = "an anchor (&name) that holds itself", "put text that begins with & in quotes"
	}
	b.errs.add(at, "not YAML", strings.Trim(quote(why), "`"), hint)
}
