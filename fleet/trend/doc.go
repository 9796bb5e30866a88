// Package trend holds the statistics that judgements are made with: the middle
// and the spread of a series, how far a value lies from the same hour of other
// weeks, where a series is going, and when it gets there.
//
// The one idea: real series are dirty. A rack that was moved, an hour that
// nobody polled and a meter that said 65535 once must not bend a forecast. So
// nothing here takes a mean or a least square: the middle is the median, the
// spread is the median absolute deviation, the slope is the median of the
// slopes of pairs (Theil and Sen), and whether there is a slope at all is asked
// of their signs (Mann and Kendall), which know no distribution.
//
// A day has a shape, and half a day of rising load is no trend. A slope can
// therefore be taken over a period: then only points a whole number of periods
// apart are compared (Hirsch, Slack and Smith 1982). Hours of one day go
// together, so their evidence is not added up as if each were news: the spread
// is what it would be if all of them moved as one. That is the most cautious
// answer, and a forecast that is silent costs less than one that is wrong.
//
// "No trend" is an answer, and it says why. What does not belong here: clocks,
// limits of things, and what anybody should do.
package trend
