package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/views"
)

// Bounds of how long a wall shows one view.
const (
	minPage = 2 * time.Second
	maxPage = time.Hour
)

// wallOptions reads `wall [VIEW...] [--page 15s]`.
func wallOptions(args []string, page time.Duration) (Options, error) {
	opt := Options{Wall: true, Page: page}
	for i := 0; i < len(args); i++ {
		name, value, hasValue := strings.Cut(args[i], "=")
		switch {
		case name == "--page" && !hasValue && i+1 < len(args):
			i++
			value = args[i]
			fallthrough
		case name == "--page" && value != "":
			d, err := time.ParseDuration(value)
			if err != nil || d < minPage || d > maxPage {
				return opt, fmt.Errorf("--page %s: want a time from %s to %s, such as 15s", fleet.Clean(value, 40), minPage, maxPage)
			}
			opt.Page = d
		case strings.HasPrefix(name, "-"):
			return opt, fmt.Errorf("%s is not an option of wall; --page is", fleet.Clean(name, 40))
		default:
			opt.Pages = append(opt.Pages, strings.Split(name, ",")...)
		}
	}
	known := views.WallPages()
	for _, p := range opt.Pages {
		if !slices.Contains(known, p) {
			return opt, fmt.Errorf("there is no page %q; there are %s", fleet.Clean(p, 40), strings.Join(known, ", "))
		}
	}
	return opt, nil
}

// wall runs the wall display.
func (v *visit) wall(args []string) int {
	opt, err := wallOptions(args, v.server.cfg.WallPage)
	if err != nil {
		fmt.Fprintf(v.sess.Stderr(), "plumb: wall: %v\nhint: ssh -t HOST wall [VIEW...] [--page 15s]\n", err)
		return exitUsage
	}
	return v.screen(opt)
}
