package config

import "iter"

// closest returns the valid name nearest to what was written, or "" when none
// is near: at most a third of the letters, and never more than three, may be
// missing, changed, extra, or swapped with their neighbour.
func closest(written string, valid iter.Seq[string]) string {
	best, limit := "", min(3, len(written)/3)+1
	for name := range valid {
		if abs(len(name)-len(written)) >= limit {
			continue
		}
		if d := distance(written, name); d < limit || d == limit-1 && name < best {
			best, limit = name, d
			if d == 0 {
				break
			}
		}
	}
	return best
}

// didYouMean is the reason that follows an unknown name.
func didYouMean(written string, valid iter.Seq[string], otherwise string) string {
	if name := closest(written, valid); name != "" {
		return "did you mean `" + name + "`?"
	}
	return otherwise
}

func abs(n int) int { return max(n, -n) }

// distance is the number of edits between two words, where a swap of
// neighbours is one (optimal string alignment).
func distance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	var rows [3][101]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		now, before, twoBefore := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(before[j]+1, now[j-1]+1, before[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], twoBefore[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
