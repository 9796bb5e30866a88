package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// ownAs gives a file to whom another file or directory belongs. Only root can
// do so, and only root has to: the service whose store root works on could not
// open it again. A link is given away itself, not what it leads to: whoever owns
// the directory could have put it there.
func ownAs(path, like string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(path, int(st.Uid), int(st.Gid))
}

// ownWithin is ownAs of all files in dir, which get dir's owner.
func ownWithin(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, ownAs(filepath.Join(dir, e.Name()), dir))
	}
	return err
}
