package fleet

import "time"

// AsOf returns the job as it stood at a time: the steps that had been taken,
// the state that the last of them left it in, and no end that was still to
// come.
func (j Job) AsOf(t time.Time) Job {
	n := len(j.Steps)
	for n > 0 && j.Steps[n-1].At.After(t) {
		n--
	}
	ended := !j.Ended.IsZero() && !j.Ended.After(t)
	if n == len(j.Steps) && (ended || j.Ended.IsZero()) {
		return j
	}
	j.Steps = j.Steps[:n:n]
	if !ended {
		j.Ended, j.State = time.Time{}, JobProposed
		if n > 0 {
			j.State = j.Steps[n-1].State
		}
	}
	return j
}
