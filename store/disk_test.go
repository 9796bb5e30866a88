package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// disk is a file system that has lost its power in mind: it knows what was
// written and what was synced, and can show what a cut would leave.
//
// It promises no more than POSIX does. A file's fsync keeps its bytes and not
// its name; a name is kept by the fsync of its directory. What is not yet
// synced is there or not, write by write, sector by sector, name by name, in
// any combination.
type disk struct {
	names   map[string]*diskFile // as the process sees them
	synced  map[string]*diskFile // as they surely are on disk
	renames map[string][]dirOp   // of each directory, since it was last synced
}

type diskFile struct {
	data    []byte // synced
	pending []diskOp
	dir     bool
}

// diskOp is a write, or a truncate where data is nil.
type diskOp struct {
	at   int64
	data []byte
	sick bool // a sync of it failed: it may be on disk, and no later sync sees to it
}

// dirOp is a name that is given, with a file, or taken away, without.
type dirOp struct {
	name string
	file *diskFile
}

const sector = 512

func newDisk() *disk {
	return &disk{names: map[string]*diskFile{}, synced: map[string]*diskFile{}, renames: map[string][]dirOp{}}
}

func (d *disk) name(path string, f *diskFile) {
	if f == nil {
		delete(d.names, path)
	} else {
		d.names[path] = f
	}
	dir := filepath.Dir(path)
	d.renames[dir] = append(d.renames[dir], dirOp{path, f})
}

func (op diskOp) apply(b []byte) []byte {
	if op.data == nil {
		return resize(b, op.at)
	}
	if end := op.at + int64(len(op.data)); end > int64(len(b)) {
		b = resize(b, end)
	}
	copy(b[op.at:], op.data)
	return b
}

func resize(b []byte, n int64) []byte {
	if n <= int64(len(b)) {
		return b[:n]
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

// sync keeps what is not sick, and of what is sick only what nothing that is
// kept has replaced.
func (f *diskFile) sync() {
	var sick []diskOp
	for _, op := range f.pending {
		if op.sick {
			for at := 0; at < len(op.data); at += sector {
				sick = append(sick, diskOp{op.at + int64(at), op.data[at:min(at+sector, len(op.data))], true})
			}
			continue
		}
		f.data = op.apply(f.data)
		sick = slices.DeleteFunc(sick, func(s diskOp) bool { return op.data == nil || s.at >= op.at && s.at < op.at+int64(len(op.data)) })
	}
	f.pending = sick
}

// failSync is what a sync that failed does: the system takes what it could not
// write for written.
func (f *diskFile) failSync() {
	for i := range f.pending {
		f.pending[i].sick = true
	}
}

func (d *disk) syncDir(dir string) {
	for _, op := range d.renames[dir] {
		if op.file == nil {
			delete(d.synced, op.name)
		} else {
			d.synced[op.name] = op.file
		}
	}
	delete(d.renames, dir)
}

// luck says what a cut leaves of what was not synced.
type luck func() bool

func lost() bool { return false }
func kept() bool { return true }

// cut lays what is left below dir. whole says of each write whether it is
// there in full; where it is not, each of its sectors may be.
func (d *disk) cut(root, dir string, whole, part luck) error {
	names := maps.Clone(d.synced)
	for _, parent := range slices.Sorted(maps.Keys(d.renames)) {
		for _, op := range d.renames[parent] {
			switch {
			case !whole():
			case op.file == nil:
				delete(names, op.name)
			default:
				names[op.name] = op.file
			}
		}
	}
	for path, f := range names {
		if f.dir || !reachable(names, root, path) {
			continue
		}
		b := slices.Clone(f.data)
		for _, op := range f.pending {
			if whole() {
				b = op.apply(b)
				continue
			}
			for at := 0; at < len(op.data); at += sector {
				if part() {
					b = diskOp{at: op.at + int64(at), data: op.data[at:min(at+sector, len(op.data))]}.apply(b)
				}
			}
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// reachable reports whether every directory from root down to path has its
// name.
func reachable(names map[string]*diskFile, root, path string) bool {
	for dir := filepath.Dir(path); dir != root; dir = filepath.Dir(dir) {
		if names[dir] == nil {
			return false
		}
	}
	return true
}

// fill makes the files that lie below root part of the disk, synced.
func (d *disk) fill(root string) error {
	return filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		d.names[path] = &diskFile{data: b}
		d.synced[path] = d.names[path]
		return err
	})
}

// diskTrace lists the calls that replay understands. strace writes strings as
// they are or as \x.., and the path of a file in angle brackets.
const diskTrace = "trace=openat,pwrite64,write,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat"

var (
	callLine   = regexp.MustCompile(`^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)(?:<([^>]*)>)?`)
	unfinished = regexp.MustCompile(`^(\d+)\s+(.*) <unfinished \.\.\.>$`)
	resumed    = regexp.MustCompile(`^(\d+)\s+<\.\.\. \w+ resumed>(.*)$`)
	quoted     = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	descriptor = regexp.MustCompile(`^\d+<([^>]*)>`)
	noise      = regexp.MustCompile(`^\d+\s+(---|\+\+\+) `)
)

// call is one system call of a trace.
type call struct {
	name, args string
	fd         string // path of its descriptor
	result     int64
	opened     string // path of the descriptor that it returns
}

// calls reads a trace, in the order in which the calls ended.
func calls(trace string) (out []call, err error) {
	begun := map[string]string{}
	for line := range strings.Lines(trace) {
		line = strings.TrimSuffix(line, "\n")
		if m := unfinished.FindStringSubmatch(line); m != nil {
			begun[m[1]] = m[1] + " " + m[2]
			continue
		}
		if m := resumed.FindStringSubmatch(line); m != nil {
			line = begun[m[1]] + m[2]
		}
		m := callLine.FindStringSubmatch(line)
		if m == nil {
			if noise.MatchString(line) || strings.HasSuffix(line, "= ?") || strings.Contains(line, "<detached ...>") {
				continue
			}
			return nil, fmt.Errorf("not a call: %.200s", line)
		}
		c := call{name: m[2], args: m[3], opened: unescape(m[5])}
		if c.result, err = strconv.ParseInt(m[4], 10, 64); err != nil {
			return nil, err
		}
		if fd := descriptor.FindStringSubmatch(c.args); fd != nil {
			c.fd = unescape(fd[1])
		}
		out = append(out, c)
	}
	return out, nil
}

func unescape(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' {
			if n, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
				b, i = append(b, byte(n)), i+3
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// strings returns the strings among the arguments of a call.
func (c call) strings() (out []string) {
	for _, m := range quoted.FindAllStringSubmatch(c.args, -1) {
		out = append(out, unescape(m[1]))
	}
	return out
}

// last returns the last argument as a number.
func (c call) last() (int64, error) {
	return strconv.ParseInt(strings.TrimSpace(c.args[strings.LastIndexByte(c.args, ',')+1:]), 10, 64)
}

var errNotReplayed = errors.New("a call that replay does not know")

// replayed is what a call did: sync where unsynced bytes or names became safe.
type replayed struct{ changed, synced, acked bool }

// replay does to the disk what a call did to the files below root.
func (d *disk) replay(root string, c call) (r replayed, err error) {
	if c.result < 0 {
		if f := d.names[c.fd]; f != nil && strings.Contains(c.name, "sync") {
			f.failSync()
		}
		return r, nil
	}
	below := func(path string) bool { return strings.HasPrefix(path, root+"/") && filepath.Base(path) != "lock" }
	s := c.strings()
	switch c.name {
	case "openat":
		if below(c.opened) && strings.Contains(c.args, "O_CREAT") && d.names[c.opened] == nil {
			d.name(c.opened, &diskFile{})
			r.changed = true
		}
		if f := d.names[c.opened]; f != nil && strings.Contains(c.args, "O_TRUNC") {
			f.pending = append(f.pending, diskOp{})
		}
		return r, nil
	case "renameat", "renameat2", "rename":
		if f := d.names[s[0]]; f != nil {
			d.name(s[0], nil)
			d.name(s[1], f)
			r.changed = true
		}
		return r, nil
	case "unlinkat", "unlink":
		if d.names[s[0]] != nil {
			d.name(s[0], nil)
			r.changed = true
		}
		return r, nil
	case "mkdirat", "mkdir":
		if below(s[0]) {
			d.name(s[0], &diskFile{dir: true})
			r.changed = true
		}
		return r, nil
	case "fsync", "fdatasync":
		if f := d.names[c.fd]; f != nil && !f.dir {
			f.sync()
		} else {
			d.syncDir(c.fd)
		}
		r.synced = c.fd == root || below(c.fd)
		return r, nil
	case "write":
		if strings.HasPrefix(c.args, "1<") {
			r.acked = true
			return r, nil
		}
	}
	f := d.names[c.fd]
	if f == nil {
		return r, nil
	}
	r.changed = true
	switch c.name {
	case "ftruncate":
		at, err := c.last()
		f.pending = append(f.pending, diskOp{at: at})
		return r, err
	case "pwrite64":
		at, err := c.last()
		f.pending = append(f.pending, diskOp{at: at, data: []byte(s[0])[:c.result]})
		return r, err
	case "write":
		end := int64(len(f.data))
		for _, op := range f.pending {
			end = max(end, op.at+int64(len(op.data)))
			if op.data == nil {
				end = op.at
			}
		}
		f.pending = append(f.pending, diskOp{at: end, data: []byte(s[0])[:c.result]})
		return r, nil
	}
	return r, fmt.Errorf("%w: %s", errNotReplayed, c.name)
}

// byChance returns a luck that holds one time in n.
func byChance(r *rand.Rand, n int) luck { return func() bool { return r.IntN(n) == 0 } }
