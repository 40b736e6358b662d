// In the place of unfold's 200 kB: the charts here are drawn on the server, and unfold draws none where a page has none.
