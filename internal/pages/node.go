package pages

import g "maragu.dev/gomponents"

type node = g.Node
