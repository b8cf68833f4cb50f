package phpscript

import "strings"

// op says what a node is. The comments name its children; those in brackets may be nil.
type op uint8

const (
	_ op = iota // no node
	// Expressions.
	opText      // text
	opNumber    // text
	opTemplate  // parts
	opVariable  // text
	opDynamic   // a variable whose name is computed
	opConstant  // text
	opIndex     // base, [key]
	opProperty  // base
	opStatic    // of a class; text
	opCall      // arguments; text is the function
	opCallValue // function, arguments
	opMethod    // object, arguments; text is the method
	opNew       // arguments; text is the class
	opArray     // items; also the left side of list() = …
	opItem      // [key], value; text is "&" or "..."
	opBinary    // left, right; text
	opUnary     // operand; text
	opStep      // operand; text is "++" or "--", with "post" after it
	opAssign    // target, value; text is "=", or ".=" and so on
	opTernary   // condition, [yes], no
	opCast      // operand; text
	opIsset     // operands
	opEmpty     // operand
	opExit      // [operand]
	opInclude   // operand
	opMatch     // subject, arms
	opArm       // value, conditions; without conditions it is the default
	opClosure   // not read
	opUnread    // text says what stands there
	// Statements.
	opBlock
	opIf       // condition, then, [else]
	opWhile    // condition, body
	opDo       // body, condition
	opFor      // init, condition, step (blocks of expressions), body
	opForeach  // subject, [key], value, body; text is "&"
	opSwitch   // subject, cases
	opCase     // [value], statements
	opReturn   // [value]
	opBreak    // text is the number of levels
	opContinue // the same
	opEcho     // operands
	opGlobal   // variables
	opLocal    // static variables: variable, [value], …
	opUnset    // operands
	opFunction // text; parameters are items: [default], variable; then the body
	opClass    // text; not read
	opTry      // body, catches, …, in the order of the script
	opThrow    // operand
)

// node is an expression or a statement.
type node struct {
	op   op
	line int
	text string
	kids []*node
}

// script is what the parser found.
type script struct {
	body      *node
	functions map[string]*node // by their names in lower case
	classes   map[string]int   // lines
	unread    []unread
	assigned  map[string]int // how often the script sets a variable
}

// unread is a place that the parser did not understand.
type unread struct {
	line int
	text string
}

// walk calls f for a node and everything in it.
func (n *node) walk(f func(*node)) {
	if n == nil {
		return
	}
	f(n)
	for _, k := range n.kids {
		k.walk(f)
	}
}

// targets calls f for every variable that a node may set.
func (n *node) targets(f func(name string)) {
	base := func(n *node) {
		for n != nil && (n.op == opIndex || n.op == opProperty) {
			n = n.kids[0]
		}
		if n != nil && n.op == opVariable {
			f(n.text)
		}
	}
	n.walk(func(n *node) {
		switch n.op {
		case opAssign, opStep:
			base(n.kids[0])
			if n.kids[0].op == opArray {
				for _, item := range n.kids[0].kids {
					item.walk(base)
				}
			}
		case opForeach:
			n.kids[1].walk(base)
			n.kids[2].walk(base)
		case opGlobal, opLocal, opUnset:
			for _, k := range n.kids {
				base(k)
			}
		case opFunction:
			for _, k := range n.kids[:len(n.kids)-1] {
				base(k.kids[1])
			}
		case opCall:
			for _, k := range n.kids {
				if outArguments(n.text) {
					base(k.kids[1])
				}
			}
		case opTry:
			f(n.text)
		}
	})
}

// outArguments reports whether a function may set its arguments.
func outArguments(function string) bool {
	switch function = strings.ToLower(function); function {
	case "preg_match", "preg_match_all", "fsockopen", "pfsockopen", "stream_socket_client", "exec", "system", "passthru", "getmxrr", "next", "prev", "each",
		"parse_str", "mb_parse_str", "sscanf", "settype", "shuffle", "similar_text", "str_replace", "is_callable", "flock", "headers_sent",
		"mysqli_stmt_bind_result", "ldap_get_option", "ldap_parse_result", "openssl_sign", "stream_select", "socket_select", "extract":
		return true
	}
	return strings.HasPrefix(function, "array_") || strings.HasSuffix(function, "sort")
}
