from geometry import area, perimeter
from words import initials, shout
