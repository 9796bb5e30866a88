package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"plumb/fleet"
)

// newestCompute is the newest compute microversion whose shapes are known here.
const newestCompute = 96

// session is a login with the endpoints that its catalog named.
type session struct {
	provider  *gophercloud.ProviderClient
	compute   *gophercloud.ServiceClient
	placement *gophercloud.ServiceClient // nil: not in the catalog
	network   *gophercloud.ServiceClient // nil: not in the catalog; at its v2.0
	minor     int                        // compute 2.minor
	newest    [2]string                  // what compute and placement say they can
	project   string
	user      string
	region    string
}

// login makes a session. gophercloud's own version discovery is not used: it
// has no context and could hang for ever.
func (o *OpenStack) login(ctx context.Context) (*session, error) {
	provider, result, err := o.authenticate(ctx)
	if err != nil {
		return nil, err
	}
	provider.ReauthFunc = func(ctx context.Context) error {
		fresh, _, err := o.authenticate(ctx)
		if err != nil {
			return err
		}
		provider.CopyTokenFrom(fresh)
		return nil
	}
	s := &session{provider: provider}
	s.note(result)
	if err := o.locate(s, result); err != nil {
		return nil, err
	}
	return s, o.negotiate(ctx, s)
}

// refusedHold is how long a refused password is not sent again while it stays
// the same. Keystone locks a user after a few failures within lockout_duration
// (30 min as shipped), so one try an hour locks nobody out, and a password that
// was set right in Keystone afterwards is found.
const refusedHold = time.Hour

// refusal remembers the password that Keystone refused, without keeping it.
type refusal struct {
	mark [sha256.Size]byte
	at   time.Time
}

// wait is how long the password of the mark must not be sent; 0: it may be.
func (r *refusal) wait(mark [sha256.Size]byte, now time.Time) time.Duration {
	if r.at.IsZero() || mark != r.mark {
		return 0
	}
	return max(0, r.at.Add(refusedHold).Sub(now))
}

// authenticate asks Keystone for a token, with the secret as it is now; with
// one that was refused not before refusedHold has passed, for looks and
// actions alike.
func (o *OpenStack) authenticate(ctx context.Context) (*gophercloud.ProviderClient, tokens.CreateResult, error) {
	none := tokens.CreateResult{}
	secret, err := o.cfg.Password(ctx)
	if err != nil { // nothing was sent: it may be fetched again at any time
		return nil, none, fmt.Errorf("%w: the password could not be fetched: %v", fleet.ErrBusy, err)
	}
	mark := sha256.Sum256([]byte(secret))
	if wait := o.refused.wait(mark, o.now()); wait > 0 {
		return nil, none, fmt.Errorf("%w: this password was refused; next try when it changes, or in %v", fleet.ErrAuth, wait.Round(time.Second))
	}
	provider, err := openstack.NewClient(o.cfg.AuthURL)
	if err != nil {
		return nil, none, fmt.Errorf("%w: %v", fleet.ErrProtocol, err)
	}
	provider.HTTPClient = o.wire.client()
	provider.UserAgent.Prepend("plumb")
	identity := &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: provider.IdentityBase + "v3/", Type: "identity"}
	result := tokens.Create(withAPI(ctx, "identity"), identity, o.authOptions(secret))
	if result.Err != nil {
		err := classify("identity", result.Err)
		if errors.Is(err, fleet.ErrAuth) {
			o.refused = refusal{mark, o.now()}
		}
		return nil, none, err
	}
	o.refused = refusal{}
	if err := provider.SetTokenAndAuthResult(result); err != nil {
		return nil, none, fmt.Errorf("%w: identity: %v", fleet.ErrProtocol, err)
	}
	if provider.Token() == "" {
		return nil, none, fmt.Errorf("%w: identity answered without a token", fleet.ErrProtocol)
	}
	return provider, result, nil
}

func (o *OpenStack) authOptions(secret string) *gophercloud.AuthOptions {
	c := &o.cfg
	if c.AppCredentialID != "" {
		return &gophercloud.AuthOptions{ApplicationCredentialID: c.AppCredentialID, ApplicationCredentialSecret: secret}
	}
	a := &gophercloud.AuthOptions{Username: c.Username, Password: secret, Scope: &gophercloud.AuthScope{ProjectID: c.ProjectID}}
	a.DomainID, a.DomainName = domain(c.UserDomainID, c.UserDomain)
	if c.ProjectID == "" {
		a.Scope.ProjectName = c.ProjectName
		a.Scope.DomainID, a.Scope.DomainName = domain(c.ProjectDomainID, c.ProjectDomain)
	}
	return a
}

// domain returns a domain by id or by name. The default domain has the id
// "default" and the name "Default", which people mix up.
func domain(id, name string) (byID, byName string) {
	switch {
	case id != "":
		return id, ""
	case name == "" || strings.EqualFold(name, "default"):
		return "default", ""
	}
	return "", name
}

// note keeps who we are, as the token says it.
func (s *session) note(result tokens.CreateResult) {
	if p, err := result.ExtractProject(); err == nil && p != nil {
		s.project = fleet.Clean(p.Name, fleet.MaxText)
	}
	if u, err := result.ExtractUser(); err == nil && u != nil {
		s.user = fleet.Clean(u.Name, fleet.MaxText)
	}
}

// locate finds the region's endpoints in the catalog.
func (o *OpenStack) locate(s *session, result tokens.CreateResult) error {
	catalog, err := result.ExtractServiceCatalog()
	if err != nil {
		return fmt.Errorf("%w: catalog: %v", fleet.ErrProtocol, err)
	}
	s.region = o.cfg.Region
	if s.region == "" {
		regions := regionsOf(catalog)
		if len(regions) != 1 {
			return fmt.Errorf("%w: the catalog has the regions %s: name one", fleet.ErrUnsupported, fleet.Clean(strings.Join(regions, " "), fleet.MaxText))
		}
		s.region = regions[0]
	}
	client := func(kind string) *gophercloud.ServiceClient {
		u := endpoint(catalog, kind, s.region, o.cfg.Interface)
		if u == "" {
			return nil
		}
		return &gophercloud.ServiceClient{ProviderClient: s.provider, Endpoint: u, Type: kind}
	}
	s.compute, s.placement, s.network = client("compute"), client("placement"), networkClient(client("network"))
	if s.compute == nil {
		return fmt.Errorf("%w: the catalog has no compute in region %q; it has %s", fleet.ErrUnsupported, s.region,
			fleet.Clean(strings.Join(regionsOf(catalog), " "), fleet.MaxText))
	}
	return nil
}

func regionsOf(c *tokens.ServiceCatalog) []string {
	var out []string
	for _, e := range c.Entries {
		for _, p := range e.Endpoints {
			if name := regionOf(p); e.Type == "compute" && name != "" && !slices.Contains(out, name) && len(out) < 32 {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

func regionOf(p tokens.Endpoint) string {
	if p.RegionID != "" {
		return p.RegionID
	}
	return p.Region
}

// endpoint returns a service's URL with a slash at its end, or "".
func endpoint(c *tokens.ServiceCatalog, kind, region, iface string) string {
	for _, e := range c.Entries {
		if e.Type != kind {
			continue
		}
		for _, p := range e.Endpoints {
			u, err := url.Parse(p.URL)
			if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && p.Interface == iface && regionOf(p) == region {
				return strings.TrimSuffix(p.URL, "/") + "/"
			}
		}
	}
	return ""
}

// negotiate asks both APIs what they can. Compute decides which shapes are
// asked for; placement 1.0 has all that is needed here, so it is only noted.
func (o *OpenStack) negotiate(ctx context.Context, s *session) error {
	var doc struct {
		Version struct {
			Version string `json:"version"`
		} `json:"version"`
	}
	if err := o.get(ctx, s.compute, "", nil, &doc); err != nil {
		return err
	}
	s.newest[0] = fleet.Clean(doc.Version.Version, 16)
	s.minor = 1
	if n, ok := strings.CutPrefix(doc.Version.Version, "2."); ok {
		if minor, err := strconv.Atoi(n); err == nil && minor > 0 {
			s.minor = min(minor, newestCompute)
		}
	}
	s.compute.Microversion = "2." + strconv.Itoa(s.minor)
	if s.placement == nil {
		return nil
	}
	var list struct {
		Versions []struct {
			Max string `json:"max_version"`
		} `json:"versions"`
	}
	if err := o.get(ctx, s.placement, "", nil, &list); err == nil && len(list.Versions) > 0 {
		s.newest[1] = fleet.Clean(list.Versions[0].Max, 16)
	}
	return nil
}

func withAPI(ctx context.Context, api string) context.Context {
	return context.WithValue(ctx, apiKey{}, api)
}

// get reads one JSON document.
func (o *OpenStack) get(ctx context.Context, sc *gophercloud.ServiceClient, path string, q url.Values, into any) error {
	body, err := o.fetch(ctx, sc, path, q)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: %s answered no such JSON: %v", fleet.ErrProtocol, sc.Type, jsonReason(err))
	}
	return nil
}

// fetch reads one answer whole, so that its connection can be used again.
func (o *OpenStack) fetch(ctx context.Context, sc *gophercloud.ServiceClient, path string, q url.Values) ([]byte, error) {
	u := sc.Endpoint + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	resp, err := sc.Get(withAPI(ctx, sc.Type), u, nil, &gophercloud.RequestOpts{KeepResponseBody: true, OkCodes: []int{http.StatusOK}})
	if err != nil {
		return nil, classify(sc.Type, err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= o.cfg.Limits.BodyBytes {
		body.Grow(int(n) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return nil, classify(sc.Type, err)
	}
	return body.Bytes(), nil
}

// jsonReason keeps the place of a JSON error and drops what stood there.
func jsonReason(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("syntax error at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Sprintf("%s is no %s at byte %d", fleet.Clean(kind.Value, 40), kind.Type, kind.Offset)
	}
	return fleet.Clean(err.Error(), fleet.MaxText)
}
