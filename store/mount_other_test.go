//go:build !linux

package store

import "errors"

func mountSmall(string, string) error { return errors.ErrUnsupported }
func unmountSmall(string)             {}
