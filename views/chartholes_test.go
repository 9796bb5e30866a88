package views

import (
	"errors"
	"strings"
	"testing"

	"plumb/fleet"
	"plumb/views/viewstest"
	"plumb/views/widget"
)

// damagedAnswers are what can be read, and that it is not all.
type damagedAnswers struct{ viewstest.Answers }

func (a damagedAnswers) Get(q fleet.Query) (fleet.Answer, bool) {
	x, ok := a.Answers.Get(q)
	x.Lost = errors.New("readings of x: damaged")
	return x, ok
}

// TestAChartIsDrawnBesideDamage, and says that it is not whole; where nothing can be
// read it says why.
func TestAChartIsDrawnBesideDamage(t *testing.T) {
	f := frame(80, 24)
	counter := fleet.Query{Kind: fleet.QuerySeries, Target: "a", Key: fleet.SeriesKey{Table: fleet.TablePorts, Row: "1", Field: fleet.FieldCounter}, Span: 3600e9}
	sensor := fleet.Query{Kind: fleet.QuerySeries, Target: "a", Key: fleet.SeriesKey{Table: fleet.TableSensors, Row: "fan"}, Span: 3600e9}
	draw := map[string]func(on widget.Canvas){
		"gauge": func(on widget.Canvas) { drawSeries(f, on, sensor, fleet.Limits{}, scaledValue, widget.Fill) },
		"rate":  func(on widget.Canvas) { drawRate(f, on, counter, 8) },
	}
	for name, draw := range draw {
		shown := func(a Answers) string {
			f.Answers = a
			b := widget.NewBuffer(80, 12)
			draw(b.Canvas())
			return b.Plain()
		}
		whole, holed, none := shown(viewstest.Answers{}), shown(damagedAnswers{}), shown(viewstest.Answers{Err: errors.New("readings of x: damaged")})
		_, below, _ := strings.Cut(whole, "\n")
		if _, rest, _ := strings.Cut(holed, "\n"); rest != below || !strings.Contains(holed, "a gap is damage: plumb verify says which") {
			t.Errorf("%s, whole:\n%s\nbeside damage:\n%s", name, whole, holed)
		}
		if !strings.Contains(none, "no history: readings of x: damaged") || strings.Contains(whole, "damage") {
			t.Errorf("%s, with nothing:\n%s", name, none)
		}
	}
}
