//go:build unix

package peerbench

import (
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// theirs takes a load in, and reads it where it is a day.
func theirs(t *testing.T, load load) (u used) {
	dir := t.TempDir()
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = (30 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(dir, slog.New(slog.DiscardHandler), nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	made := load.maker()
	names := make([][]labels.Labels, len(made.Targets))
	refs := make([][]storage.SeriesRef, len(names))
	for i, target := range made.Targets {
		for _, k := range target.Keys {
			names[i] = append(names[i], seriesLabels(target.Name, k))
		}
		refs[i] = make([]storage.SeriesRef, len(target.Keys))
	}

	for {
		minute, ok := made.next()
		if !ok {
			break
		}
		began := benchline.CPU()
		for _, b := range minute {
			app := db.Appender(t.Context())
			for _, p := range b {
				ms := p.At.UnixMilli()
				for i, v := range p.floats {
					if refs[p.target][i], err = app.Append(refs[p.target][i], names[p.target][i], ms, v); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := app.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		u.ingest += benchline.CPU() - began
	}
	began := benchline.CPU()
	if err := db.Compact(t.Context()); err != nil { // what its own loop has not come to
		t.Fatal(err)
	}
	u.ingest += benchline.CPU() - began
	u.samples = made.samples
	if load != day {
		return u
	}

	began = benchline.CPU()
	for i := range reads {
		target := made.Targets[i%20]
		if n := readSeries(t, db, made.span(), names[i%20][i%len(target.Keys)]); n < load.polls() {
			t.Fatalf("%d samples of %v", n, names[i%20][i%len(target.Keys)])
		}
	}
	u.read = (benchline.CPU() - began) / reads

	// A head that has been cut into blocks, whole: only blocks are measured.
	if err := db.CompactHead(tsdb.NewRangeHead(db.Head(), db.Head().MinTime(), db.Head().MaxTime())); err != nil {
		t.Fatal(err)
	}
	if err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	samples := uint64(0)
	for _, b := range db.Blocks() {
		samples += b.Meta().Stats.NumSamples
		u.bytes += int(treeBytes(t, b.Dir()))
	}
	if samples != uint64(made.samples) {
		t.Errorf("its blocks hold %d of %d samples", samples, made.samples)
	}
	return u
}

func seriesLabels(target string, k fleet.SeriesKey) labels.Labels {
	name := "sensor"
	switch k.Table {
	case fleet.TablePorts:
		name = "port_" + fleet.CounterID(k.Field-fleet.FieldCounter).String()
	case fleet.TableOutlets:
		name = map[fleet.SeriesField]string{fleet.FieldCurrent: "outlet_amps", fleet.FieldPower: "outlet_watts"}[k.Field]
	}
	return labels.FromStrings(labels.MetricName, name, "instance", target, "row", k.Row)
}

func readSeries(t *testing.T, db *tsdb.DB, span time.Duration, l labels.Labels) (n int) {
	q, err := db.Querier(begin.UnixMilli(), begin.Add(span).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(t.Context(), false, nil,
		labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, l.Get(labels.MetricName)),
		labels.MustNewMatcher(labels.MatchEqual, "instance", l.Get("instance")),
		labels.MustNewMatcher(labels.MatchEqual, "row", l.Get("row")))
	var points []point
	var it chunkenc.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			points = append(points, point{at, v})
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return len(points)
}

type point struct {
	at int64
	v  float64
}

func treeBytes(t *testing.T, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
