package main

import (
	"io"

	"plumb/keys"
)

type keysCmd struct {
	Markdown bool `help:"As a Markdown table."`
}

func (k keysCmd) Run(s *streams) error {
	_, err := io.WriteString(s.out, keys.Must().Markdown())
	return err
}
