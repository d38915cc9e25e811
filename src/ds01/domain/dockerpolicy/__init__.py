"""What a request to the engine may contain.

The engine and a checker read the same bytes differently in many ways, so nothing a client sent is ever passed on:
a request is read strictly into values DS01 knows, each value is judged by one rule, and what goes to the engine is
written anew from the values that were kept. What has no rule is refused when it says something and left out when
it says nothing (clients send every field they know, most of them empty).
"""
