package week

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"go.yaml.in/yaml/v3"
)

// Call is what one sort of event must come to with those who are on call.
type Call struct {
	Sort   string
	Within time.Duration // one page, that soon; zero: none is asked for
	May    string        // why a page is right and none is too
	Quiet  string        // why nobody is called
}

// ReadCalls reads what must call, and holds that it has one word for every sort
// of the script.
func (s *Script) ReadCalls(file string) (map[string]Call, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []Call
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	out := map[string]Call{}
	for _, c := range list {
		words := 0
		for _, has := range [...]bool{c.Within > 0, c.May != "", c.Quiet != ""} {
			if has {
				words++
			}
		}
		if _, twice := out[c.Sort]; twice || words != 1 {
			return nil, fmt.Errorf("%s: %q: needs one of within, may and quiet, once", file, c.Sort)
		}
		out[c.Sort] = c
	}
	for _, sorts := range [...][]Planting{s.Plant, s.Decoys} {
		for i := range sorts {
			if _, ok := out[sorts[i].Sort]; !ok {
				return nil, fmt.Errorf("%s: says nothing of %q", file, sorts[i].Sort)
			}
		}
	}
	return out, nil
}
