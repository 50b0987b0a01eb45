# gradc.mk: models of gradc in a makefile, in one line each:
#
#	include /usr/local/share/gradc/gradc.mk
#	$(eval $(call gradc_model,net,net.json,gen,--optimizer=adam))
#
# where net is the "name" in net.json. After it
#	gen/net.c, gen/net.h    are made from net.json, and again when it, a weight file that it
#	                        names, or gradc itself changes; files whose content would stay
#	                        as it is keep their time, so what depends on them is left alone
#	net_C, net_H            are the paths of the two
#	check-net               says whether the files in gen are those of the model (for CI)
# GRADC is the program.
GRADC ?= gradc

# gradc_model NAME,IR,DIR,OPTIONS. The stamp tells make that the rule has run; what needs the C
# files waits for it, and is made again only when they have changed.
define gradc_model
$(1)_C := $(3)/$(1).c
$(1)_H := $(3)/$(1).h
$(3)/$(1).c $(3)/$(1).h: $(3)/$(1).stamp ;
$(3)/$(1).stamp: $(2) $$(shell command -v $$(firstword $$(GRADC)) | sed 's/ /\\ /g')
	$$(GRADC) compile $(2) -o $(3) $(4) --stamp $$@ -MD -MP -MT $$@
-include $(3)/$(1).gradc.d
check-$(1):
	$$(GRADC) check $(2) -o $(3)
.PHONY: check-$(1)
endef
