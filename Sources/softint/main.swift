print("softint")
