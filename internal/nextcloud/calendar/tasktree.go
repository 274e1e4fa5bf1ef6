package calendar

import (
	"strings"
)

// taskTree is the tasks of one list by what is a subtask of what.
type taskTree struct {
	byUID    map[string]*object
	parent   map[string]string
	children map[string][]*object
}

// maxTreeDepth bounds how deep subtasks are followed.
const maxTreeDepth = 50

// newTree reads the relations. A subtask names its parent; some programs write
// the subtasks into the parent instead, which counts where the subtask itself
// says nothing. Tasks that name each other in a circle have no parent.
func newTree(list []object) *taskTree {
	t := &taskTree{byUID: map[string]*object{}, parent: map[string]string{}, children: map[string][]*object{}}
	for i := range list {
		t.byUID[list[i].First().Text("UID")] = &list[i]
	}
	for i := range list {
		o := &list[i]
		uid := o.First().Text("UID")
		if p := parentOf(o.First()); p != "" && t.byUID[p] != nil && p != uid {
			t.parent[uid] = p
		}
	}
	for i := range list {
		uid := list[i].First().Text("UID")
		for _, l := range list[i].First().PropAll("RELATED-TO") {
			child := l.Text()
			if strings.EqualFold(l.Param("RELTYPE"), "CHILD") && child != uid && t.byUID[child] != nil && parentOf(t.byUID[child].First()) == "" && t.parent[child] == "" {
				t.parent[child] = uid
			}
		}
	}
	for i := range list {
		if uid := list[i].First().Text("UID"); t.circles(uid) {
			delete(t.parent, uid)
		}
	}
	for i := range list {
		if p := t.parent[list[i].First().Text("UID")]; p != "" {
			t.children[p] = append(t.children[p], &list[i])
		}
	}
	return t
}

// circles reports whether the parents of a task lead nowhere.
func (t *taskTree) circles(uid string) bool {
	at := uid
	for range maxTreeDepth {
		if at = t.parent[at]; at == "" {
			return false
		}
	}
	return true
}

func (t *taskTree) find(uid string) *object { return t.byUID[uid] }

// above reports whether the task of uid has the other one above it.
func (t *taskTree) above(uid, other string) bool {
	for range maxTreeDepth {
		if uid = t.parent[uid]; uid == "" || uid == other {
			return uid != ""
		}
	}
	return true
}

// below are all subtasks of a task, each before its own.
func (t *taskTree) below(uid string) []*object {
	var out []*object
	for _, o := range t.children[uid] {
		out = append(out, o)
		out = append(out, t.below(o.First().Text("UID"))...)
	}
	return out
}

// depth is how many tasks are above one.
func (t *taskTree) depth(uid string) int {
	n := 0
	for uid = t.parent[uid]; uid != "" && n < maxTreeDepth; uid = t.parent[uid] {
		n++
	}
	return n
}
