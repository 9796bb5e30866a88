package runbook

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"plumb/fleet"
)

// Bounds of an expression.
const (
	maxNodes  = 100
	maxSource = 500
)

// Cond is a question about the fleet with the answers yes, no and not known.
type Cond struct {
	source  string
	program *vm.Program
}

func (c *Cond) String() string { return c.source }

// Condition reads a condition. The error says what is wrong with it in one line.
func Condition(source string) (*Cond, error) {
	p, err := compile(source, expr.AsBool())
	if err != nil {
		return nil, err
	}
	return &Cond{source, p}, nil
}

// Holds answers the condition of a target. The error says what is not known;
// it is then neither true nor false.
func (c *Cond) Holds(s *fleet.Snapshot, target string) (bool, error) {
	return c.HoldsSince(s, target, time.Time{})
}

// HoldsSince is Holds by what was read after a time: what was seen of a machine
// before it was power-cycled says nothing about whether it is back.
func (c *Cond) HoldsSince(s *fleet.Snapshot, target string, since time.Time) (bool, error) {
	v, err := run(c.program, s, target, since)
	if err != nil {
		return false, err
	}
	return v.(bool), nil // AsBool holds it
}

func compile(source string, more ...expr.Option) (*vm.Program, error) {
	if source = strings.TrimSpace(source); source == "" {
		return nil, errors.New("is empty")
	}
	if len(source) > maxSource {
		return nil, fmt.Errorf("is longer than %d characters", maxSource)
	}
	var loops noLoops
	p, err := expr.Compile(source, append([]expr.Option{expr.Env(scene{}), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.EnableBuiltin("len"), expr.Patch(&loops)}, more...)...)
	switch {
	case err != nil:
		return nil, oneLine(err)
	case loops.found != "":
		return nil, fmt.Errorf("%s: loops are not for conditions", loops.found)
	}
	return p, nil
}

// noLoops finds what makes the cost of an expression more than its length.
type noLoops struct{ found string }

// Visit implements ast.Visitor.
func (v *noLoops) Visit(n *ast.Node) {
	switch x := (*n).(type) {
	case *ast.PredicateNode:
		v.found = "{ }"
	case *ast.BinaryNode:
		if x.Operator == ".." {
			v.found = ".."
		}
	}
}

// oneLine is an error of the library without the picture of the source.
func oneLine(err error) error {
	var at *file.Error
	if errors.As(err, &at) {
		return fmt.Errorf("%s (at character %d)", at.Message, at.Column+1)
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(text)
}

// run evaluates a program. What it meets that is not known ends it.
func run(p *vm.Program, s *fleet.Snapshot, target string, since time.Time) (any, error) {
	v := vm.VM{MemoryBudget: 10_000}
	out, err := v.Run(p, sceneOf(s, target, since))
	if err != nil {
		var u *unknown
		if errors.As(err, &u) {
			return nil, u
		}
		return nil, notKnown("%s: %s", strings.TrimSpace(p.Source().String()), beyond(oneLine(err)))
	}
	return out, nil
}

// beyond says in words what the library says of an index that is not there. What
// else ends an expression, too much of a list, stays as it is.
func beyond(err error) string {
	var at, n int
	text := err.Error()
	if k, _ := fmt.Sscanf(text, "index out of range: %d (array length is %d)", &at, &n); k < 2 {
		return text
	}
	if n == 0 {
		return fmt.Sprintf("there is nothing to take [%d] of, the list is empty", at)
	}
	return fmt.Sprintf("there is no [%d], the list ends with [%d]", at, n-1)
}

// unknown is what an expression wanted to know and nobody does.
type unknown struct{ what string }

func (u *unknown) Error() string { return "not known: " + u.what }

func notKnown(format string, args ...any) error {
	return &unknown{fmt.Sprintf(format, args...)}
}
