package phpscript

// leaves handles the end of a loop's body. It reports whether the loop ends, and how the loop's statement does.
func (r *run) leaves(c control) (bool, control) {
	switch {
	case r.done || c == giveBack:
		return true, c
	case c == goOn:
		return false, goOn
	}
	if r.levels--; r.levels > 0 {
		return true, c
	}
	return c == leave, goOn
}

// loop runs while, do and for. If it is unknown when the loop ends, it ends after up to maxRounds, and what it sets
// is unknown then.
func (r *run) loop(n, cond, body, step *node, first bool) control {
	for guesses := 0; ; first = false {
		if !first {
			yes, known, why := r.loopCondition(cond)
			if !known {
				if yes = guesses < maxRounds && r.decide(why); !yes && guesses == maxRounds {
					n.targets(func(name string) { r.set(name, unknownFor(why)) })
				}
				guesses++
			}
			if !yes || r.done {
				return goOn
			}
		}
		if end, c := r.leaves(r.exec(body)); end {
			return c
		}
		if step != nil {
			r.all(step.kids)
		}
		if !r.step(n) {
			return goOn
		}
	}
}

func (r *run) loopCondition(cond *node) (yes, known bool, why *reason) {
	if cond.op == opBlock && len(cond.kids) == 0 {
		return true, true, nil
	}
	if cond.op == opBlock {
		r.all(cond.kids[:len(cond.kids)-1])
		cond = cond.kids[len(cond.kids)-1]
	}
	v := r.eval(cond)
	if yes, known = v.truth(); known {
		return yes, true, nil
	}
	return false, false, r.reasonOf(v, cond)
}

func (r *run) foreach(n *node) control {
	subject := r.eval(n.kids[0])
	if n.text == "&" || subject.kind != isArray && subject.kind != isUnknown && subject.kind != isNull {
		r.unread(&node{op: opUnread, line: n.line, text: "a foreach that this command cannot follow", kids: []*node{n}})
		return goOn
	}
	var rest *reason
	if subject.kind == isUnknown {
		rest = subject.why
	} else if subject.kind == isArray {
		subject.array.shared = true // PHP goes through the array as it is now
		rest = subject.array.rest
		for _, key := range subject.array.keys {
			it := subject.array.items[key]
			if end, c := r.round(n, keyValue(key, it.keyLine), it.value); end {
				return c
			}
		}
	}
	for round := 0; rest != nil && round < maxRounds; round++ {
		if !r.decide(&reason{kind: rest.kind, line: n.line, what: rest.what}) {
			return goOn
		}
		if end, c := r.round(n, unknownFor(rest), unknownFor(rest)); end {
			return c
		}
	}
	if rest != nil {
		n.targets(func(name string) { r.set(name, unknownFor(rest)) })
	}
	return goOn
}

// round runs the body of foreach once.
func (r *run) round(n *node, key, v value) (bool, control) {
	if n.kids[1] != nil {
		r.assign(n.kids[1], key)
	}
	r.assign(n.kids[2], v)
	return r.leaves(r.exec(n.kids[3]))
}

func (r *run) switchOver(n *node) control {
	subject := r.eval(n.kids[0])
	from := -1
	for i, c := range n.kids[1:] {
		if c.kids[0] == nil {
			continue
		}
		v := r.equal(subject, r.eval(c.kids[0]), false)
		yes, known := v.truth()
		if !known {
			yes = r.decide(r.reasonOf(v, c))
		}
		if yes {
			from = i
			break
		}
	}
	if from < 0 {
		for i, c := range n.kids[1:] {
			if c.kids[0] == nil {
				from = i
			}
		}
	}
	if from < 0 {
		return goOn
	}
	for _, c := range n.kids[1+from:] {
		for _, s := range c.kids[1:] {
			if c := r.exec(s); c != goOn || r.done {
				if c == again && r.levels == 1 {
					c = leave
				}
				_, c = r.leaves(c)
				return c
			}
		}
	}
	return goOn
}
