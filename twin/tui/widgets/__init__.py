"""Line-API widgets: canvas of styled rows, heat map, braille plot, table."""
