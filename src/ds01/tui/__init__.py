"""Live views: what a screen shows that stays. Imported only by the commands that open one."""
