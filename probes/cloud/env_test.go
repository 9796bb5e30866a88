package cloud

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFromEnv(t *testing.T) {
	env := map[string]string{"OS_AUTH_URL": "https://c:5000/v3", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "pr", "OS_REGION_NAME": "ams",
		"OS_USER_DOMAIN_NAME": "Users", "OS_PROJECT_DOMAIN_ID": "pd", "OS_INTERFACE": "internalURL"}
	get := func(k string) string { return env[k] }
	c, err := FromEnv(get)
	if err != nil {
		t.Fatal(err)
	}
	pw, _ := c.Password(t.Context())
	c.Target = "x"
	if c.AuthURL != "https://c:5000/v3" || c.Username != "u" || pw != "p" || c.Region != "ams" || c.UserDomain != "Users" || c.ProjectDomainID != "pd" || c.Interface != "internal" || c.Validate() != nil {
		t.Errorf("%+v, %v", c, c.Validate())
	}
	env["OS_APPLICATION_CREDENTIAL_ID"], env["OS_APPLICATION_CREDENTIAL_SECRET"] = "id", "sec"
	c, _ = FromEnv(get)
	if pw, _ = c.Password(t.Context()); c.AppCredentialID != "id" || c.Username != "" || pw != "sec" {
		t.Errorf("application credential: %+v", c)
	}
	for k, v := range map[string]string{"OS_IDENTITY_API_VERSION": "2", "OS_INSECURE": "maybe", "OS_CACERT": "/nonexistent/ca.pem"} {
		old := env[k]
		env[k] = v
		if _, err := FromEnv(get); !errors.Is(err, ErrConfig) {
			t.Errorf("%s=%s: %v", k, v, err)
		}
		env[k] = old
	}
}

func TestCloudsYAML(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "clouds.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("clouds.yaml", "clouds:\n  eu:\n    auth: {auth_url: 'https://c:5000/v3', username: u, password: old, project_name: p, user_domain_name: Users}\n    region_name: ams\n    interface: internal\n    verify: false\n  app:\n    auth: {auth_url: 'https://c:5000', application_credential_id: a, application_credential_secret: s}\n")
	env := map[string]string{"OS_CLIENT_CONFIG_FILE": file, "OS_CLOUD": "eu"}
	read := func() (Config, string, error) {
		c, err := FromEnv(func(k string) string { return env[k] })
		if err != nil {
			return c, "", err
		}
		c.Target = "x"
		pw, err := c.Password(t.Context())
		return c, pw, errors.Join(err, c.Validate())
	}
	c, pw, err := read()
	if err != nil || pw != "old" || c.Username != "u" || c.ProjectName != "p" || c.UserDomain != "Users" || c.Region != "ams" || c.Interface != "internal" || !c.Insecure {
		t.Errorf("%+v, %q, %v", c, pw, err)
	}
	write("secure.yaml", "clouds: {eu: {auth: {password: new}}}")
	env["OS_REGION_NAME"] = "fra"
	if c, pw, err := read(); err != nil || pw != "new" || c.Region != "fra" {
		t.Errorf("with secure.yaml: %+v, %q, %v", c, pw, err)
	}
	env["OS_CLOUD"] = "app"
	if c, pw, err := read(); err != nil || pw != "s" || c.AppCredentialID != "a" {
		t.Errorf("application credential: %+v, %q, %v", c, pw, err)
	}
	env["OS_CLOUD"] = "us"
	if _, _, err := read(); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "app, eu") {
		t.Errorf("unknown cloud: %v", err)
	}
	write("clouds.yaml", "clouds: [sesame]")
	if _, _, err := read(); !errors.Is(err, ErrConfig) || strings.Contains(err.Error(), "sesame") {
		t.Errorf("broken file: %v", err)
	}
}
