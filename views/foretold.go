package views

import (
	"cmp"
	"slices"

	"plumb/fleet"
	"plumb/fleet/capacity"
	"plumb/fleet/performance"
	"plumb/views/widget"
)

// foretold is a forecast of a device, open or scored.
type foretold struct {
	device string
	*fleet.Forecast
}

// foretoldOf lists what is foretold of the devices of a rack, site or region:
// what is open by its day, then what has been scored, the newest first.
func foretoldOf(f Frame, sub *capacity.Subject) []foretold {
	var out []foretold
	for id, d := range f.Snap.Devices.All() {
		if len(d.Forecasts) == 0 || !within(d.Spec, sub) {
			continue
		}
		for i := range d.Forecasts {
			out = append(out, foretold{id, &d.Forecasts[i]})
		}
	}
	sortForetold(out)
	return out
}

// within reports whether a device stands in a rack, site or region.
func within(d *fleet.DeviceSpec, sub *capacity.Subject) bool {
	switch sub.Scope {
	case capacity.ScopeRegion:
		return d.Region == sub.ID
	case capacity.ScopeSite:
		return d.Site == sub.ID
	case capacity.ScopeRack:
		return d.Rack == sub.ID
	}
	return false
}

func sortForetold(list []foretold) {
	slices.SortStableFunc(list, func(a, b foretold) int {
		switch open := a.Score == fleet.ScoreOpen; {
		case open != (b.Score == fleet.ScoreOpen):
			if open {
				return -1
			}
			return 1
		case open:
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.device, b.device))
		}
		return b.Scored.Compare(a.Scored)
	})
}

// ownShown bounds the forecasts in a device's head.
const ownShown = 3

// drawOwnForetold draws what is foretold of a device and what was before, and
// returns the rows it took.
func drawOwnForetold(f Frame, in widget.Canvas, y int, d *fleet.Device) int {
	list := make([]foretold, len(d.Forecasts))
	for i := range d.Forecasts {
		list[i] = foretold{d.Spec.ID, &d.Forecasts[i]}
	}
	sortForetold(list)
	list = list[:min(len(list), ownShown)]
	for i := range list {
		_, st, word := scoreMark(f, list[i].Forecast)
		label := "ahead"
		if list[i].Score != fleet.ScoreOpen {
			label = "was"
		}
		in.Text(0, y+i, label, widget.Dim)
		end := in.Right(in.W, y+i, word, st)
		in.Cut(f.Theme, 6, y+i, end-8, foretoldText(list[i].Forecast), widget.Plain)
	}
	return len(list)
}

// drawForetold draws forecasts with their interval and what became of them, and
// how often those of the fleet came true.
func drawForetold(f Frame, on widget.Canvas, list []foretold) {
	in := widget.Box(on, f.Theme, "foretold", performance.Score(f.Snap).String(), false)
	for y := 0; y < in.H && y < len(list); y++ {
		x := &list[y]
		glyph, st, word := scoreMark(f, x.Forecast)
		in.Text(1, y, glyph, st)
		at := in.Cut(f.Theme, 3, y, 18, x.device, widget.Link) + 1
		end := in.Right(in.W-1, y, word, st)
		in.Cut(f.Theme, at, y, end-at-2, foretoldText(x.Forecast), widget.Plain)
	}
}

// foretoldText says what, when, between when, and when that was said.
func foretoldText(x *fleet.Forecast) string {
	text := x.What + " " + x.At.UTC().Format("2006-01-02") + " (" + x.Low.UTC().Format("01-02") + " to " + x.High.UTC().Format("01-02") + ")"
	return text + ", said " + x.Made.UTC().Format("01-02") + ", confidence " + x.Confidence.String()
}

// scoreMark tells what became of a forecast by glyph and word.
func scoreMark(f Frame, x *fleet.Forecast) (string, widget.Style, string) {
	g := f.Theme.Glyphs
	switch x.Score {
	case fleet.ScoreOpen:
		return g.Empty, widget.Dim, "open"
	case fleet.ScoreHit:
		return g.OK, widget.OK, "came true"
	case fleet.ScoreEarly:
		return g.Warn, widget.Warn, "came earlier"
	case fleet.ScoreLate:
		return g.Warn, widget.Warn, "did not come by then"
	}
	return g.Unknown, widget.Unknown, "nobody was looking"
}
