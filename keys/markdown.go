package keys

import (
	"fmt"
	"strings"
)

// Markdown returns the key map as the reference page shows it.
func (m *Map) Markdown() string {
	var b strings.Builder
	b.WriteString("# Keys\n\nEvery command can also be run by name from `:`. Remap keys in the configuration by command id.\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n| keys | command | id | where | role |\n|---|---|---|---|---|\n", g.Title)
		for _, c := range g.commands() {
			c, _ = m.Get(c.ID)
			fmt.Fprintf(&b, "| %s | %s | `%s` | %s | %s |\n", c.keyList(), cell(c.Help), c.ID, c.whereText(), c.roleText())
		}
	}
	return b.String()
}

func (c Command) keyList() string {
	var out []string
	for _, k := range c.Keys.Keys() {
		out = append(out, "`"+Label(k)+"`")
	}
	if len(out) == 0 {
		return "`:" + c.name() + "`"
	}
	return cell(strings.Join(out, " "))
}

func (c Command) whereText() string {
	if w := c.where(); len(w) > 0 {
		return strings.Join(w, ", ")
	}
	return "everywhere"
}

func (c Command) roleText() string {
	if c.Danger == 0 {
		return ""
	}
	return fmt.Sprintf("%s, danger %d", c.Needs, c.Danger)
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
