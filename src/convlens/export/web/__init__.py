"""Web: an exported folder that is also a page, which classifies images in the browser."""
