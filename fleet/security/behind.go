package security

import "plumb/fleet"

// standing says whether anybody from outside reaches somebody behind a group.
type standing uint8

const (
	nobody   standing = iota
	notKnown          // nobody can say
	someone           // an instance with a public address is certainly in it
)

// grouped finds security groups by what instances call them. Nova tells the
// names of a server's groups and no ids, and a name is the project's own: two
// projects may have one of the same name, and one project even two.
type grouped struct {
	own  map[[2]string][]int // by project and name
	name map[string][]int
}

func groupsBy(groups []fleet.SecurityGroup) grouped {
	by := grouped{make(map[[2]string][]int, len(groups)), make(map[string][]int, len(groups))}
	for i := range groups {
		g := &groups[i]
		by.own[[2]string{g.Project, g.Name}] = append(by.own[[2]string{g.Project, g.Name}], i)
		by.name[g.Name] = append(by.name[g.Name], i)
	}
	return by
}

// of are the groups that an instance may mean by a name, and whether it is
// certain which. A name that the instance's project does not have may be a group
// that another shares with it.
func (by *grouped) of(x *fleet.Instance, name string) (groups []int, certain bool) {
	if x.Project != "" {
		if groups = by.own[[2]string{x.Project, name}]; groups != nil {
			return groups, len(groups) == 1
		}
		return by.name[name], false
	}
	groups = by.name[name]
	return groups, len(groups) == 1
}

// behind says of each group of a cloud who stands behind it, in one pass over
// the instances. A list of instances that is not whole leaves out somebody.
func (sc *Scene) behind(c *fleet.Cloud) []standing {
	out := make([]standing, len(c.Groups))
	by := groupsBy(c.Groups)
	raise := func(i int, to standing) { out[i] = max(out[i], to) }
	if !sc.wholeTable(&c.Tables[fleet.TableInstances]) {
		for i := range out {
			raise(i, notKnown)
		}
	}
	for _, x := range sc.Instances.All() {
		if x.Cloud != c.Spec.Name || len(x.Public) == 0 {
			continue
		}
		if x.SecurityGroups == nil { // the cloud does not say: it may be in any of its project's
			for i := range c.Groups {
				if x.Project == "" || x.Project == c.Groups[i].Project {
					raise(i, notKnown)
				}
			}
		}
		for _, name := range x.SecurityGroups {
			groups, certain := by.of(&x.Instance, name)
			for _, i := range groups {
				if certain {
					raise(i, someone)
				} else {
					raise(i, notKnown)
				}
			}
		}
	}
	return out
}
