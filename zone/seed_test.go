package zone

import _ "nirzone/fixtures/seed"
