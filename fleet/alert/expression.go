package alert

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/types"

	"plumb/fleet"
)

// ErrExpression is behind every error of an expression.
var ErrExpression = errors.New("expression")

// maxNodes bounds an expression, and with it what one look costs: there is no
// loop.
const maxNodes = 200

// expression is a compiled expression with what it reads.
type expression struct {
	of    func(*scene) Truth
	sight bool   // it may be asked of a device that does not answer
	class string // the only class of sensors that it can be true of; "": any
	reads []read // in the order of the source
}

// read is one thing that an expression reads, as people are shown it.
type read struct {
	name string
	show func(*scene) string
}

// functions may be called beside fields, all of the device: they need it in
// scope.
var functions = map[string]string{
	"fact":  "a fact as text",
	"num":   "a fact as a number",
	"tag":   "a tag of the inventory",
	"about": "whether a reason of its state speaks of a part that begins so",
}

// parse compiles the source of an expression for rules on a subject.
func parse(on, source string) (*expression, error) {
	if len(source) > 2000 {
		return nil, fmt.Errorf("%w: is longer than 2000 letters", ErrExpression)
	}
	within := scope(on)
	c := &compiler{within: within, out: &expression{}}
	program, err := expr.Compile(source, options(within)...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrExpression, firstLine(err.Error()))
	}
	of, err := c.truth(program.Node())
	if err != nil {
		return nil, err
	}
	c.out.of = of
	c.out.class = onlyClass(program.Node())
	return c.out, nil
}

// options say to expr-lang what there is: it parses, and checks the types.
func options(within map[string]map[string]field) []expr.Option {
	env := types.Map{}
	for name, list := range within {
		m := types.Map{}
		for key, f := range list {
			switch f.kind() {
			case "number":
				m[key] = types.Float64
			case "text":
				m[key] = types.String
			default:
				m[key] = types.Bool
			}
		}
		env[name] = m
	}
	out := []expr.Option{expr.Env(env), expr.AsBool(), expr.Optimize(false), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.EnableBuiltin("abs")}
	if within["device"] != nil {
		never := func(...any) (any, error) { return nil, ErrExpression } // what runs is compiled here
		out = append(out, expr.Function("fact", never, new(func(string) string)), expr.Function("num", never, new(func(string) float64)),
			expr.Function("tag", never, new(func(string) string)), expr.Function("about", never, new(func(string) bool)))
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// compiler turns the checked tree into closures.
type compiler struct {
	within map[string]map[string]field
	out    *expression
}

func refuse(n ast.Node) error {
	return fmt.Errorf("%w: %s is not to be used here", ErrExpression, fleet.Clean(n.String(), 60))
}

// field finds the field that a node reads, or nil.
func (c *compiler) field(n ast.Node) *field {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return nil
	}
	of, isName := m.Node.(*ast.IdentifierNode)
	key, isText := m.Property.(*ast.StringNode)
	if !isName || !isText {
		return nil
	}
	f, ok := c.within[of.Value][key.Value]
	if !ok {
		return nil
	}
	c.note(of.Value+"."+key.Value, f.show)
	c.out.sight = c.out.sight || f.sight && (f.kind() == "flag" || key.Value == "state" || key.Value == "blind_s" || key.Value == "error")
	return &f
}

// note remembers what is read, once.
func (c *compiler) note(name string, show func(*scene) string) {
	if !slices.ContainsFunc(c.out.reads, func(r read) bool { return r.name == name }) {
		c.out.reads = append(c.out.reads, read{name, show})
	}
}

// call finds the function that a node calls and the one text it is given.
func call(n ast.Node) (name, arg string, ok bool) {
	x, is := n.(*ast.CallNode)
	if !is || len(x.Arguments) != 1 {
		return "", "", false
	}
	callee, is := x.Callee.(*ast.IdentifierNode)
	if !is {
		return "", "", false
	}
	text, is := x.Arguments[0].(*ast.StringNode)
	if !is {
		return "", "", false
	}
	return callee.Value, text.Value, functions[callee.Value] != ""
}

// truth compiles what is true, false or unknown.
func (c *compiler) truth(n ast.Node) (func(*scene) Truth, error) {
	switch x := n.(type) {
	case *ast.BoolNode:
		is := truth(x.Value)
		return func(*scene) Truth { return is }, nil
	case *ast.UnaryNode:
		if x.Operator != "!" && x.Operator != "not" {
			return nil, refuse(n)
		}
		of, err := c.truth(x.Node)
		if err != nil {
			return nil, err
		}
		return func(s *scene) Truth { return -of(s) }, nil
	case *ast.BinaryNode:
		return c.binary(x)
	case *ast.MemberNode:
		if f := c.field(n); f != nil && f.flag != nil {
			get := f.flag
			return func(s *scene) Truth { return truth(get(s)) }, nil
		}
	case *ast.CallNode:
		if name, arg, ok := call(n); ok && name == "about" {
			c.out.sight = true
			return func(s *scene) Truth {
				return truth(slices.ContainsFunc(s.device.About, func(a string) bool { return strings.HasPrefix(a, arg) }))
			}, nil
		}
	}
	return nil, refuse(n)
}

// sides compiles both sides of an operator in the same way.
func sides[T any](x *ast.BinaryNode, compile func(ast.Node) (T, error)) (a, b T, err error) {
	if a, err = compile(x.Left); err == nil {
		b, err = compile(x.Right)
	}
	return a, b, err
}

func (c *compiler) binary(x *ast.BinaryNode) (func(*scene) Truth, error) {
	switch x.Operator {
	case "and", "&&", "or", "||":
		a, b, err := sides(x, c.truth)
		if err != nil {
			return nil, err
		}
		if x.Operator == "and" || x.Operator == "&&" {
			return func(s *scene) Truth {
				t := a(s)
				if t == False {
					return False
				}
				return both(t, b(s))
			}, nil
		}
		return func(s *scene) Truth {
			t := a(s)
			if t == True {
				return True
			}
			return either(t, b(s))
		}, nil
	case "<", "<=", ">", ">=", "==", "!=":
		if a, err := c.number(x.Left); err == nil {
			b, err := c.number(x.Right)
			if err != nil {
				return nil, err
			}
			op := x.Operator
			return func(s *scene) Truth { return compare(op, a(s), b(s)) }, nil
		}
		if x.Operator != "==" && x.Operator != "!=" {
			return nil, refuse(x)
		}
		return c.same(x)
	case "contains", "startsWith", "endsWith", "matches", "in":
		return c.textual(x)
	}
	return nil, refuse(x)
}

// same compares texts or flags.
func (c *compiler) same(x *ast.BinaryNode) (func(*scene) Truth, error) {
	sign := True
	if x.Operator == "!=" {
		sign = False
	}
	if a, err := c.words(x.Left); err == nil {
		b, err := c.words(x.Right)
		if err != nil {
			return nil, err
		}
		return func(s *scene) Truth { return sign * equal(a, b, s) }, nil
	}
	a, b, err := sides(x, c.truth)
	if err != nil {
		return nil, err
	}
	return func(s *scene) Truth { return sign * a(s) * b(s) }, nil // unknown is 0
}

// wording is a text, and whether an empty or "unknown" one is what is known.
type wording struct {
	of   func(*scene) string
	sure bool
}

func (w *wording) unknown(v string) bool { return !w.sure && (v == "" || v == "unknown") }

// equal compares two texts. What is not known equals only the word for it.
func equal(a, b wording, s *scene) Truth {
	x, y := a.of(s), b.of(s)
	if x != y && (a.unknown(x) || b.unknown(y)) {
		return Unknown
	}
	return truth(x == y)
}

// words compiles a text.
func (c *compiler) words(n ast.Node) (wording, error) {
	switch x := n.(type) {
	case *ast.StringNode:
		v := x.Value
		return wording{func(*scene) string { return v }, true}, nil
	case *ast.MemberNode:
		if f := c.field(n); f != nil && f.text != nil {
			return wording{f.text, f.sure}, nil
		}
	case *ast.CallNode:
		switch name, arg, _ := call(n); name {
		case "fact":
			c.note("fact("+arg+")", func(s *scene) string { return or(s.device.Facts.Get(arg)) })
			return wording{func(s *scene) string { return s.device.Facts.Get(arg) }, false}, nil
		case "tag":
			return wording{func(s *scene) string { return s.device.Spec.Tags[arg] }, true}, nil
		}
	}
	return wording{}, refuse(n)
}

// textual compiles the operators of texts. Patterns and lists are constants.
func (c *compiler) textual(x *ast.BinaryNode) (func(*scene) Truth, error) {
	a, err := c.words(x.Left)
	if err != nil {
		return nil, err
	}
	var holds func(string) bool
	if x.Operator == "in" {
		list, err := constants(x.Right)
		if err != nil {
			return nil, err
		}
		holds = func(v string) bool { return slices.Contains(list, v) }
	} else {
		y, ok := x.Right.(*ast.StringNode)
		if !ok {
			return nil, refuse(x)
		}
		switch x.Operator {
		case "contains":
			holds = func(v string) bool { return strings.Contains(v, y.Value) }
		case "startsWith":
			holds = func(v string) bool { return strings.HasPrefix(v, y.Value) }
		case "endsWith":
			holds = func(v string) bool { return strings.HasSuffix(v, y.Value) }
		default:
			re, err := regexp.Compile(y.Value)
			if err != nil {
				return nil, fmt.Errorf("%w: %s", ErrExpression, err)
			}
			holds = re.MatchString
		}
	}
	return func(s *scene) Truth {
		v := a.of(s)
		if a.unknown(v) && !holds(v) {
			return Unknown
		}
		return truth(holds(v))
	}, nil
}

func constants(n ast.Node) ([]string, error) {
	list, ok := n.(*ast.ArrayNode)
	if !ok {
		return nil, refuse(n)
	}
	var out []string
	for _, e := range list.Nodes {
		s, ok := e.(*ast.StringNode)
		if !ok {
			return nil, refuse(n)
		}
		out = append(out, s.Value)
	}
	return out, nil
}

// number compiles a number; NaN is one that is not known.
func (c *compiler) number(n ast.Node) (func(*scene) float64, error) {
	switch x := n.(type) {
	case *ast.IntegerNode:
		v := float64(x.Value)
		return func(*scene) float64 { return v }, nil
	case *ast.FloatNode:
		v := x.Value
		return func(*scene) float64 { return v }, nil
	case *ast.UnaryNode:
		of, err := c.number(x.Node)
		if err != nil || x.Operator != "-" {
			return nil, refuse(n)
		}
		return func(s *scene) float64 { return -of(s) }, nil
	case *ast.MemberNode:
		if f := c.field(n); f != nil && f.num != nil {
			return f.num, nil
		}
	case *ast.CallNode:
		if name, arg, _ := call(n); name == "num" {
			c.note("num("+arg+")", func(s *scene) string { return number(s.device.Facts.Num(arg).Float()) })
			return func(s *scene) float64 { return s.device.Facts.Num(arg).Float() }, nil
		}
	case *ast.BuiltinNode:
		if x.Name == "abs" && len(x.Arguments) == 1 {
			of, err := c.number(x.Arguments[0])
			if err != nil {
				return nil, err
			}
			return func(s *scene) float64 { return math.Abs(of(s)) }, nil
		}
	case *ast.BinaryNode:
		return c.arithmetic(x)
	}
	return nil, refuse(n)
}

func (c *compiler) arithmetic(x *ast.BinaryNode) (func(*scene) float64, error) {
	a, b, err := sides(x, c.number)
	if err != nil {
		return nil, err
	}
	switch x.Operator {
	case "+":
		return func(s *scene) float64 { return a(s) + b(s) }, nil
	case "-":
		return func(s *scene) float64 { return a(s) - b(s) }, nil
	case "*":
		return func(s *scene) float64 { return a(s) * b(s) }, nil
	case "/":
		return func(s *scene) float64 {
			if d := b(s); d != 0 {
				return a(s) / d
			}
			return math.NaN() // a share of nothing is not known
		}, nil
	}
	return nil, refuse(x)
}

// onlyClass finds sensor.class == "..." among what must hold, so that sensors of
// other classes are not asked at all.
func onlyClass(n ast.Node) string {
	x, ok := n.(*ast.BinaryNode)
	if !ok {
		return ""
	}
	switch x.Operator {
	case "and", "&&":
		if c := onlyClass(x.Left); c != "" {
			return c
		}
		return onlyClass(x.Right)
	case "==":
		if v, ok := x.Right.(*ast.StringNode); ok && x.Left.String() == "sensor.class" {
			return v.Value
		}
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }

func firstFew(list []string, n int) []string { return list[:min(n, len(list))] }
