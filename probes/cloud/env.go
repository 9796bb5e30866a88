package cloud

import (
	"context"
	"fmt"
	"os"
	"strconv"
)

// FromEnv reads a configuration from the variables that OpenStack's own
// clients use, OS_AUTH_URL and its like; with OS_CLOUD, from the clouds.yaml
// that they would find. It does not validate: the caller adds
// Target, and may set AuthURL, before [New] does.
//
// OS_CACERT names a file, which is read here. A variable that is not set leaves
// its field empty; a password that is not set is an error of the first login.
func FromEnv(getenv func(string) string) (Config, error) {
	first := func(names ...string) string {
		for _, n := range names {
			if v := getenv(n); v != "" {
				return v
			}
		}
		return ""
	}
	if v := getenv("OS_IDENTITY_API_VERSION"); v != "" && v != "3" && v != "3.0" {
		return Config{}, fmt.Errorf("%w: OS_IDENTITY_API_VERSION is %q; Keystone v3 is needed", ErrConfig, v)
	}
	if name := getenv("OS_CLOUD"); name != "" {
		return fromCloudsYAML(name, getenv)
	}
	c := Config{
		AuthURL:         getenv("OS_AUTH_URL"),
		Region:          getenv("OS_REGION_NAME"),
		Interface:       trimURL(first("OS_INTERFACE", "OS_ENDPOINT_TYPE")),
		Username:        getenv("OS_USERNAME"),
		ProjectID:       first("OS_PROJECT_ID", "OS_TENANT_ID"),
		ProjectName:     first("OS_PROJECT_NAME", "OS_TENANT_NAME"),
		UserDomainID:    first("OS_USER_DOMAIN_ID", "OS_DEFAULT_DOMAIN_ID"),
		UserDomain:      first("OS_USER_DOMAIN_NAME", "OS_DEFAULT_DOMAIN_NAME"),
		ProjectDomainID: first("OS_PROJECT_DOMAIN_ID", "OS_DEFAULT_DOMAIN_ID"),
		ProjectDomain:   first("OS_PROJECT_DOMAIN_NAME", "OS_DEFAULT_DOMAIN_NAME"),
	}
	name := "OS_PASSWORD"
	if id := getenv("OS_APPLICATION_CREDENTIAL_ID"); id != "" {
		c.Username, c.AppCredentialID, name = "", id, "OS_APPLICATION_CREDENTIAL_SECRET"
	}
	c.Password = func(context.Context) (string, error) {
		if v := getenv(name); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("%s is not set", name)
	}
	if v := getenv("OS_INSECURE"); v != "" {
		yes, err := strconv.ParseBool(v)
		if err != nil {
			return Config{}, fmt.Errorf("%w: OS_INSECURE is %q, not true or false", ErrConfig, v)
		}
		c.Insecure = yes
	}
	if file := getenv("OS_CACERT"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return Config{}, fmt.Errorf("%w: OS_CACERT: %w", ErrConfig, err)
		}
		c.CAs = pem
	}
	return c, nil
}

// trimURL reads publicURL as public; older variables spell it so.
func trimURL(s string) string {
	if n := len(s) - len("URL"); n > 0 && s[n:] == "URL" {
		return s[:n]
	}
	return s
}
