package openstack

import (
	"net/http"
	"strconv"
	"strings"
)

// Ranges of microversions: 2.computeMin to 2.computeMax and 1.0 to
// 1.placementMax.
const (
	computeMin   = 1
	computeMax   = 96
	placementMax = 39
)

// microversion reads the version a client asks of a service in
// "OpenStack-API-Version: SERVICE MAJOR.MINOR" (several may be listed).
// found is false where it asks none.
func microversion(h http.Header, service string) (version string, found bool) {
	for _, line := range h.Values("Openstack-Api-Version") {
		for _, part := range strings.Split(line, ",") {
			name, v, ok := strings.Cut(strings.TrimSpace(part), " ")
			if ok && strings.EqualFold(name, service) {
				return strings.TrimSpace(v), true
			}
		}
	}
	return "", false
}

// minorOf reads MAJOR.MINOR. valid is false for what is not a version at all.
func minorOf(version string, major int) (minor int, sameMajor, valid bool) {
	a, b, ok := strings.Cut(version, ".")
	ma, err1 := strconv.Atoi(a)
	mi, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || ma < 0 || mi < 0 {
		return 0, false, false
	}
	return mi, ma == major, true
}
