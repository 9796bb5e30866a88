package cloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/fleet"
)

// cloudEntry is one cloud of a clouds.yaml, as openstacksdk reads it.
type cloudEntry struct {
	Auth struct {
		AuthURL           string `yaml:"auth_url"`
		Username          string `yaml:"username"`
		Password          string `yaml:"password"`
		ProjectID         string `yaml:"project_id"`
		ProjectName       string `yaml:"project_name"`
		UserDomainID      string `yaml:"user_domain_id"`
		UserDomainName    string `yaml:"user_domain_name"`
		ProjectDomainID   string `yaml:"project_domain_id"`
		ProjectDomainName string `yaml:"project_domain_name"`
		AppID             string `yaml:"application_credential_id"`
		AppSecret         string `yaml:"application_credential_secret"`
	} `yaml:"auth"`
	Region    string `yaml:"region_name"`
	Interface string `yaml:"interface"`
	CACert    string `yaml:"cacert"`
	Verify    *bool  `yaml:"verify"`
}

// errNoCloud says that a file does not name the cloud.
var errNoCloud = errors.New("has no cloud")

// maxCloudsYAML bounds the file, in bytes.
const maxCloudsYAML = 1 << 20

// fromCloudsYAML reads the cloud that OS_CLOUD names. OS_AUTH_URL and
// OS_REGION_NAME, where they are set, count more than the file.
func fromCloudsYAML(name string, getenv func(string) string) (Config, error) {
	file, err := findCloudsYAML(getenv)
	if err != nil {
		return Config{}, err
	}
	e, err := readCloud(file, name)
	if err != nil {
		return Config{}, err
	}
	c := Config{
		AuthURL: e.Auth.AuthURL, Region: e.Region, Interface: trimURL(e.Interface),
		Username: e.Auth.Username, AppCredentialID: e.Auth.AppID, ProjectID: e.Auth.ProjectID, ProjectName: e.Auth.ProjectName,
		UserDomainID: e.Auth.UserDomainID, UserDomain: e.Auth.UserDomainName,
		ProjectDomainID: e.Auth.ProjectDomainID, ProjectDomain: e.Auth.ProjectDomainName,
		Insecure: e.Verify != nil && !*e.Verify,
	}
	if v := getenv("OS_AUTH_URL"); v != "" {
		c.AuthURL = v
	}
	if v := getenv("OS_REGION_NAME"); v != "" {
		c.Region = v
	}
	if c.AppCredentialID != "" {
		c.Username = ""
	}
	if e.CACert != "" {
		if c.CAs, err = os.ReadFile(e.CACert); err != nil {
			return Config{}, fmt.Errorf("%w: %s: cacert: %w", ErrConfig, file, err)
		}
	}
	c.Password = func(context.Context) (string, error) { return cloudSecret(file, name) }
	return c, nil
}

// findCloudsYAML looks where openstacksdk does.
func findCloudsYAML(getenv func(string) string) (string, error) {
	if f := getenv("OS_CLIENT_CONFIG_FILE"); f != "" {
		return f, nil
	}
	places := []string{"clouds.yaml", "/etc/openstack/clouds.yaml"}
	if home := getenv("HOME"); home != "" {
		places = slices.Insert(places, 1, filepath.Join(home, ".config", "openstack", "clouds.yaml"))
	}
	for _, f := range places {
		if _, err := os.Stat(f); err == nil {
			return f, nil
		}
	}
	return "", fmt.Errorf("%w: OS_CLOUD is set, and there is no clouds.yaml among %s", ErrConfig, strings.Join(places, ", "))
}

// readCloud reads one cloud of a file.
func readCloud(file, name string) (cloudEntry, error) {
	raw, err := os.ReadFile(file)
	switch {
	case err != nil:
		return cloudEntry{}, fmt.Errorf("%w: %w", ErrConfig, err)
	case len(raw) > maxCloudsYAML:
		return cloudEntry{}, fmt.Errorf("%w: %s: larger than such a file is", ErrConfig, file)
	}
	var doc struct {
		Clouds map[string]cloudEntry `yaml:"clouds"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return cloudEntry{}, fmt.Errorf("%w: %s: is not the YAML of a clouds file", ErrConfig, file) // the cause could quote a secret
	}
	e, ok := doc.Clouds[name]
	if !ok {
		names := strings.Join(slices.Sorted(maps.Keys(doc.Clouds)), ", ")
		return e, fmt.Errorf("%w: %s: %w %q; it has %s", ErrConfig, file, errNoCloud, name, fleet.Clean(names, fleet.MaxText))
	}
	return e, nil
}

// cloudSecret reads the password or the application credential's secret anew,
// from secure.yaml beside the file where that has it.
func cloudSecret(file, name string) (string, error) {
	e, err := readCloud(file, name)
	if err != nil {
		return "", err
	}
	secure, err := readCloud(filepath.Join(filepath.Dir(file), "secure.yaml"), name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNoCloud) {
		return "", err
	}
	for _, s := range []string{secure.Auth.AppSecret, e.Auth.AppSecret, secure.Auth.Password, e.Auth.Password} {
		if s != "" {
			return s, nil
		}
	}
	return "", fmt.Errorf("%s: cloud %q has no secret", file, name)
}
