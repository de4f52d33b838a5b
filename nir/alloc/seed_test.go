package alloc

import _ "nirzone/fixtures/seed"
