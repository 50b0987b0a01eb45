# gradc.cmake: models of gradc in CMake, in one line each:
#
#   include(/usr/local/share/gradc/gradc.cmake)
#   gradc_add_library(model net.json OPTIONS --optimizer=adam)
#   target_link_libraries(app model)
#
# gradc_add_library(TARGET IR [STATIC | SHARED | OBJECT] [DIRECTORY DIR] [OPTIONS ...])
#   makes the library TARGET from the C that gradc writes into DIR (below the build directory;
#   default: gradc), and gives its users the header, which is named after the "name" in the IR. It
#   is made again when the IR, a weight file that it names, or gradc itself changes.
#   The target TARGET-check says whether the files in DIR are those of the model.
# GRADC is the program.
cmake_minimum_required(VERSION 3.20)   # DEPFILE in makefiles
find_program(GRADC gradc HINTS "${CMAKE_CURRENT_LIST_DIR}/../../bin" REQUIRED)

function(gradc_add_library target ir)
	cmake_parse_arguments(arg "STATIC;SHARED;OBJECT" "DIRECTORY" "OPTIONS" ${ARGN})
	if(arg_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "gradc_add_library(${target}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
	endif()
	if(NOT arg_DIRECTORY)
		set(arg_DIRECTORY gradc)
	endif()
	get_filename_component(ir "${ir}" ABSOLUTE)
	get_filename_component(dir "${arg_DIRECTORY}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
	file(READ "${ir}" text)
	string(JSON name GET "${text}" name)
	set(stamp "${dir}/${name}.stamp")
	# The stamp is the output: gradc leaves files alone whose content would stay as it is.
	add_custom_command(
		OUTPUT "${stamp}"
		BYPRODUCTS "${dir}/${name}.c" "${dir}/${name}.h" "${dir}/${name}.manifest.json"
		COMMAND "${GRADC}" compile "${ir}" -o "${dir}" ${arg_OPTIONS} --stamp "${stamp}"
			-MD -MF "${stamp}.d" -MT "${stamp}"
		DEPENDS "${ir}" "${GRADC}"
		DEPFILE "${stamp}.d"
		COMMENT "gradc ${name}"
		VERBATIM)
	set(kind)
	foreach(k STATIC SHARED OBJECT)
		if(arg_${k})
			set(kind ${k})
		endif()
	endforeach()
	add_custom_target(${target}-gradc DEPENDS "${stamp}")
	add_library(${target} ${kind} "${dir}/${name}.c")
	add_dependencies(${target} ${target}-gradc)
	set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
	target_include_directories(${target} PUBLIC "${dir}")
	if(NOT MSVC)
		target_link_libraries(${target} PUBLIC m)
	endif()
	add_custom_target(${target}-check COMMAND "${GRADC}" check "${ir}" -o "${dir}" VERBATIM)
endfunction()
