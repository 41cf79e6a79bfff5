"""Every page that repeats the code or quotes results, written again: `python -m sim.description`."""

from sim.description import data, odd, pictures, quotes, reference

if __name__ == "__main__":
    for each in (odd, data, reference, quotes, pictures):
        each.write()
