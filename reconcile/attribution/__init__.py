"""Whose usage it is, and how sure that is: claims, the components they form, and what each member of one gets."""
