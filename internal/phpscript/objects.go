package phpscript

import "strings"

// object is what becomes of an object, whose class is PHP's own, or the script's, and then may do anything.
func (r *run) object(class string, n *node) value {
	what := "the class " + class
	if _, own := r.x.script.classes[strings.ToLower(class)]; own || n.op == opMethod && len(r.x.script.classes) > 0 && classKind(class) == byOther {
		return r.spoil(byOther, n.line, what)
	}
	return unknownFor(&reason{kind: classKind(class), line: n.line, what: what})
}

// bind notes the variables that a method of a database sets later, as bind_result does.
func (r *run) bind(n *node, object value) {
	switch {
	case object.kind != isUnknown:
		return
	case object.why.kind == byOther && len(r.x.script.classes) > 0:
		r.spoil(byOther, n.line, object.why.what)
	case strings.EqualFold(n.text, "bind_result"), strings.EqualFold(n.text, "bindColumn"):
		for _, k := range n.kids[1:] {
			if k.kids[1].op == opVariable {
				r.set(k.kids[1].text, unknownFor(object.why))
			}
		}
	}
}

// atOrReference reads what follows "@", which hides errors, or "&", which makes a reference.
func (p *parser) atOrReference(t token) *node {
	n := p.expr(bindUnary - 1)
	if t.text == "&" {
		n = &node{op: opUnread, line: t.line, text: "a reference", kids: []*node{n}}
	}
	return n
}
