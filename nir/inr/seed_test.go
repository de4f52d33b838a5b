package inr

import _ "nirzone/fixtures/seed"
