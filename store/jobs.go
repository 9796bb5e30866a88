package store

import (
	"context"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"

	"plumb/fleet"
)

// jobBound is how many jobs a query returns that names no limit.
const jobBound = 200

func jobTimeKey(j fleet.Job) []byte { return append(appendTime(nil, j.Began), j.ID...) }

func (s *Store) putJobs(tx *bbolt.Tx, list []fleet.Job) error {
	jobs, times := tx.Bucket(bucketJobs), tx.Bucket(bucketJobTimes)
	for _, j := range list {
		value, err := json.Marshal(j)
		if err != nil {
			return err
		}
		if j.ID == "" || !nameOK(j.ID) || len(value) > maxValue {
			s.stats.refused.Add(1)
			continue
		}
		if raw := jobs.Get([]byte(j.ID)); raw != nil {
			was, err := readJob([]byte(j.ID), raw)
			if err != nil {
				return err
			}
			if err := times.Delete(jobTimeKey(was)); err != nil {
				return err
			}
		}
		if err := times.Put(jobTimeKey(j), nil); err != nil {
			return err
		}
		if err := put(jobs, []byte(j.ID), value); err != nil {
			return err
		}
	}
	return nil
}

func readJob(k, raw []byte) (j fleet.Job, err error) {
	v, err := unseal(k, raw)
	if err != nil {
		return j, err
	}
	if err := json.Unmarshal(v, &j); err != nil {
		return j, damaged("job %q: %w", k, err)
	}
	return j, nil
}

// readJobs returns the jobs that began within since and until and that keep
// says yes to, newest first; limit 0 is all.
func readJobs(ctx context.Context, tx *bbolt.Tx, since, until time.Time, limit int, keep func(*fleet.Job) bool) ([]fleet.Job, error) {
	var out []fleet.Job
	jobs, c := tx.Bucket(bucketJobs), tx.Bucket(bucketJobTimes).Cursor()
	for k, _ := lastAtOrBefore(c, nil, until); k != nil && (limit <= 0 || len(out) < limit); k, _ = c.Prev() {
		if len(k) < 8 || readTime(k).Before(since) {
			break
		}
		j, err := readJob(k[8:], jobs.Get(k[8:]))
		if err != nil {
			return out, err
		}
		if keep == nil || keep(&j) {
			out = append(out, j)
		}
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
	}
	return out, nil
}

// Bounds of the jobs that a past time shows.
const (
	pastJobs    = 100
	pastJobsFor = 24 * time.Hour
)

// jobsAt returns the jobs that had begun within a day before a time, as they
// stood then, newest first.
func jobsAt(ctx context.Context, tx *bbolt.Tx, at time.Time) ([]fleet.Job, error) {
	out, err := readJobs(ctx, tx, at.Add(-pastJobsFor), at, pastJobs, nil)
	for i := range out {
		out[i] = out[i].AsOf(at)
	}
	return out, err
}

// Jobs returns the jobs, newest first; limit 0 is 200.
func (s *Store) Jobs(ctx context.Context, limit int) ([]fleet.Job, error) {
	if limit <= 0 {
		limit = jobBound
	}
	var out []fleet.Job
	err := view(s.state, func(tx *bbolt.Tx) (err error) {
		out, err = readJobs(ctx, tx, time.Time{}, maxTime, limit, nil)
		return err
	})
	return out, err
}
