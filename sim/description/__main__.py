"""Every page that repeats the code or quotes results, written again: `python -m sim.description`."""

from sim.description import data, how_to, odd, pictures, quotes, reference, tutorials

if __name__ == "__main__":
    for each in (odd, data, reference, quotes, how_to, tutorials, pictures):
        each.write()
