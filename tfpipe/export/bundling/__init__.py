"""The folder that a user ships: files that keep the bars, the page, the card, the programs."""
