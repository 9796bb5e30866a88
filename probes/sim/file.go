package sim

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"plumb/probes/sim/world"
)

const stateFile = "sim.json"

// file is DIR/sim.json.
type file struct {
	path string
	key  []byte // what the secrets are derived from

	mu   sync.Mutex // one write at a time
	last time.Time
}

type fileJSON struct {
	Key   string      `json:"key"`
	World world.State `json:"world"`
}

// openFile continues the world of the file, or begins one where there is no
// file, or where it is of another fleet.
func openFile(path string, opt Options, now time.Time) (*file, *world.World, error) {
	f := &file{path: path}
	var kept *world.State
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, nil, fmt.Errorf("sim: %w", err)
	default:
		var j fileJSON
		if err := json.Unmarshal(b, &j); err != nil {
			return nil, nil, fmt.Errorf("sim: %s is damaged: %w; remove it to begin a new fleet", path, err)
		}
		kept = &j.World
		if f.key, err = hex.DecodeString(j.Key); err != nil || len(f.key) < 16 {
			f.key = nil
		}
	}
	if f.key == nil {
		f.key = make([]byte, 32)
		if _, err := rand.Read(f.key); err != nil {
			return nil, nil, fmt.Errorf("sim: %w", err)
		}
	}
	w, err := world.New(opt.Seed, opt.Racks, kept, now)
	if errors.Is(err, world.ErrState) {
		opt.Logf("%s is of another fleet (%v): a new one begins", path, err)
		w, err = world.New(opt.Seed, opt.Racks, nil, now)
	}
	return f, w, err
}

// write replaces the file, or leaves it as it was. A state that was taken
// before one already written is dropped.
func (f *file) write(s world.State) error {
	b, err := json.MarshalIndent(fileJSON{hex.EncodeToString(f.key), s}, "", " ")
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Saved.Before(f.last) {
		return nil
	}
	f.last = s.Saved
	return replace(f.path, b)
}

// replace writes a file of mode 0600 so that a reader sees the old or the new.
func replace(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(b)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// secrets are derived from the file's key, one for each name, and written to
// files that the configuration refers to.
type secrets struct {
	dir string
	key []byte
}

func newSecrets(dir string, key []byte) (*secrets, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	return &secrets{dir, key}, nil
}

// of returns the secret of a name: 16 characters, as IPMI 1.5 could still take.
func (s *secrets) of(name string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(name))
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// path writes the secret of a name to its file, unless it is there, and
// returns the file's path.
func (s *secrets) path(name string) (string, error) {
	path, want := filepath.Join(s.dir, name), s.of(name)+"\n"
	have, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // nobody can be reading it
		return path, os.WriteFile(path, []byte(want), 0o600)
	case err == nil && string(have) == want:
		return path, nil
	}
	return path, replace(path, []byte(want))
}
