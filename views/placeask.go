package views

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
	"plumb/fleet/capacity"
)

// Bounds of what may be asked for.
const (
	maxServers = 10_000
	maxWatts   = 100_000
)

// PlaceFlags are the flags with a value of a question about room.
var PlaceFlags = []string{"units", "u", "watts", "ports", "region", "spread", "in"}

// ParsePlace reads how many servers of which shape are to find room. The verbs
// and the palette ask in the same words; what cannot be is an error and is
// never rounded to what can.
func ParsePlace(s *fleet.Snapshot, words []string, flags map[string]string) (q capacity.Request, err error) {
	if len(words) != 1 {
		return q, errors.New("needs how many servers")
	}
	q = capacity.Request{HeightU: 2, KeepAB: flags["single-cord"] == "", Region: flags["region"]}
	if q.Servers, err = strconv.Atoi(words[0]); err != nil || q.Servers < 1 || q.Servers > maxServers {
		return q, fmt.Errorf("%s: not a number of servers from 1 to %d", fleet.Clean(words[0], 20), maxServers)
	}
	if q.Region != "" && s.Regions.Get(q.Region) == nil {
		return q, fmt.Errorf("%s: no such region", fleet.Clean(q.Region, 40))
	}
	u := flags["units"]
	if u == "" {
		u = flags["u"]
	}
	if u != "" {
		f, err := strconv.ParseFloat(u, 64)
		if err != nil || !(f > 0 && f <= 60) || f*2 != math.Trunc(f*2) {
			return q, fmt.Errorf("--units %s: not a height in units, in steps of a half", fleet.Clean(u, 20))
		}
		q.HeightU = fleet.HalfU(f * 2)
	}
	if q.Watts, err = strconv.ParseFloat(flags["watts"], 64); err != nil || !(q.Watts > 0 && q.Watts <= maxWatts) {
		return q, errors.New("--watts of one server is needed")
	}
	if p := flags["ports"]; p != "" {
		if q.Ports, q.SpeedBps, err = parsePorts(p); err != nil {
			return q, err
		}
	}
	if n := flags["spread"]; n != "" {
		if q.RackSpread, err = strconv.Atoi(n); err != nil || q.RackSpread < 1 || q.RackSpread > q.Servers {
			return q, fmt.Errorf("--spread %s: not a number of racks from 1 to %d", fleet.Clean(n, 20), q.Servers)
		}
	}
	return q, nil
}

// parsePorts reads 2x25G.
func parsePorts(p string) (n int, bps int64, err error) {
	head, speed, ok := strings.Cut(strings.ToUpper(p), "X")
	g, isG := strings.CutSuffix(speed, "G")
	n, err1 := strconv.Atoi(head)
	gigabits, err2 := strconv.Atoi(g)
	if !ok || !isG || err1 != nil || err2 != nil || n < 0 || n > 64 || gigabits < 1 || gigabits > 1600 {
		return 0, 0, fmt.Errorf("--ports %s: not like 2x25G", fleet.Clean(p, 20))
	}
	return n, int64(gigabits) * 1e9, nil
}

// ParseAdd reads what is to be added and where: a shape as [ParsePlace] does,
// and --in a rack, a site or a region. It returns the rack where one was named.
func ParseAdd(s *fleet.Snapshot, words []string, flags map[string]string) (q capacity.Request, rack string, err error) {
	in := flags["in"]
	if q, err = ParsePlace(s, words, flags); err != nil || in == "" {
		return q, "", err
	}
	switch {
	case s.Racks.Get(in) != nil:
		return q, in, nil
	case s.Sites.Get(in) != nil:
		q.Site = in
	case s.Regions.Get(in) != nil:
		q.Region = in
	default:
		return q, "", fmt.Errorf("--in %s: no such rack, site or region", fleet.Clean(in, 40))
	}
	return q, "", nil
}

// splitAsk takes a line of the palette apart as a shell does a verb's words.
func splitAsk(text string) (words []string, flags map[string]string, err error) {
	flags = map[string]string{}
	list := strings.Fields(text)
	for i := 0; i < len(list); i++ {
		name, isFlag := strings.CutPrefix(list[i], "--")
		if !isFlag {
			words = append(words, list[i])
			continue
		}
		name, value, has := strings.Cut(name, "=")
		switch {
		case name == "single-cord":
			value = "true"
		case !slices.Contains(PlaceFlags, name):
			return nil, nil, fmt.Errorf("--%s: no such flag; there are units, watts, ports, region, spread, single-cord, in", fleet.Clean(name, 20))
		case !has && i+1 == len(list):
			return nil, nil, fmt.Errorf("--%s: needs a value", name)
		case !has:
			i++
			value = list[i]
		}
		flags[name] = value
	}
	return words, flags, nil
}
