package document

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// docxStyle is what a paragraph style says about structure.
type docxStyle struct {
	level int // of a heading, 0 for none
	list  string
	depth int
}

// docxStyles reads the paragraph styles, with what they inherit.
func docxStyles(p *pack) (map[string]docxStyle, error) {
	type raw struct {
		docxStyle
		base string
	}
	read := map[string]*raw{}
	var now *raw
	err := p.walk("word/styles.xml", func(_ *xmlReader, e xml.StartElement) error {
		switch e.Name.Local {
		case "style":
			now = &raw{}
			read[attr(e, "styleId")] = now
			return nil
		case "docDefaults", "latentStyles":
			now = nil
		}
		if now == nil {
			return nil
		}
		value := attr(e, "val")
		switch e.Name.Local {
		case "name":
			now.level = headingLevel(value)
		case "basedOn":
			now.base = value
		case "outlineLvl":
			if n, err := strconv.Atoi(value); err == nil && n < 9 {
				now.level = n + 1
			}
		case "numId":
			now.list = value
		case "ilvl":
			now.depth, _ = strconv.Atoi(value)
		}
		return nil
	})
	styles := make(map[string]docxStyle, len(read))
	for id, s := range read {
		out := s.docxStyle
		for base, hops := read[s.base], 0; base != nil && hops < 20; base, hops = read[base.base], hops+1 {
			if out.level == 0 {
				out.level = base.level
			}
			if out.list == "" {
				out.list, out.depth = base.list, base.depth
			}
		}
		styles[id] = out
	}
	return styles, err
}

// headingLevel is the level of a built-in style, whose names are English in
// every language of Word.
func headingLevel(name string) int {
	name = strings.ToLower(name)
	if name == "title" {
		return 1
	}
	if rest, ok := strings.CutPrefix(name, "heading "); ok {
		if n, err := strconv.Atoi(rest); err == nil && n >= 1 && n <= 9 {
			return n
		}
	}
	return 0
}

// docxLists reads which levels of which lists count and which have bullets.
func docxLists(p *pack) (map[string]map[int]bool, error) {
	abstract := map[string]map[int]bool{}
	lists := map[string]map[int]bool{}
	var levels map[int]bool
	var level int
	var num string
	err := p.walk("word/numbering.xml", func(_ *xmlReader, e xml.StartElement) error {
		switch e.Name.Local {
		case "abstractNum":
			levels = map[int]bool{}
			abstract[attr(e, "abstractNumId")] = levels
		case "lvl":
			level, _ = strconv.Atoi(attr(e, "ilvl"))
		case "numFmt":
			if format := attr(e, "val"); levels != nil && level >= 0 && level < 9 {
				levels[level] = format != "bullet" && format != "none"
			}
		case "num":
			num, levels = attr(e, "numId"), nil
		case "abstractNumId":
			if l, ok := abstract[attr(e, "val")]; ok && num != "" {
				lists[num] = l
			} else if num != "" {
				lists[num] = map[int]bool{}
			}
		}
		return nil
	})
	return lists, err
}
